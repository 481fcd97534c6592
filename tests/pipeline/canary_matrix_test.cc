// The canary matrix: every place an OTLP request has for a client's text × every detector ×
// protobuf and JSON, walked through the whole product from decode to the sink. Nothing that an
// operational or detail record, a key, a dead letter of any class, a metric or a reply shows may
// tell a canary; evidence, the one class that holds content raw, must.
#include <array>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "canary_places.h"
#include "route/dead_letter.h"
#include "support/product_context.h"

namespace spangate::testing {
namespace {

// What was walked, for the reader of the test's output.
struct Tally {
    std::size_t places = 0;
    std::size_t cells = 0;
    std::size_t records = 0;
    std::size_t told_in_evidence = 0;
    std::set<std::string> leaks;   // cells by name
    std::set<std::string> untold;  // kept places whose canary no record of evidence has
};

// One number for each cell, whatever the place: a session of its own.
std::vector<Cell> cells_of(const Place& place) {
    std::vector<Cell> cells;
    for (const Canary& canary : canaries()) {
        // Four numbers with dots are a version there, not an address.
        if (place.is_a_version && canary.name == "IPv4 address") continue;
        for (const bool is_alone : {true, false}) {
            const std::string text = is_alone ? std::string(canary.text)
                                              : "He wrote: " + std::string(canary.text) + " twice";
            cells.push_back({canary, text, "cell-" + std::to_string(cells.size())});
        }
    }
    return cells;
}

std::string name_of(const Place& place, const Cell& cell) {
    return place.name + " × " + std::string(cell.canary.name) +
           (cell.text.size() > cell.canary.text.size() ? ", in a sentence" : "");
}

// What the dead-letter topic would get if this record could not be delivered.
std::string dead_letter_of(SentRecord record) {
    OutboundRecord lost;
    lost.event_class = record.event_class;
    lost.tenant_id = "default";
    lost.key = record.session;
    lost.value = record.value.data();
    lost.value_bytes = static_cast<std::uint32_t>(record.value.size());
    std::string letter;
    write_dead_letter(letter, lost, "too_large");
    return letter;
}

void find_leaks(const Place& place, std::string_view shown, std::string_view where, Tally& tally) {
    for (const Canary& canary : canaries()) {
        if (!shows(shown, canary)) continue;
        tally.leaks.insert(
            place.name + " × " + std::string(canary.name) + " in " + std::string(where)
        );
    }
}

void check_records(
    const Place& place, const std::vector<Cell>& cells, ProductContext& context, Tally& tally
) {
    std::map<std::string_view, const Cell*> by_session;
    for (const Cell& cell : cells)
        by_session[cell.session_id] = &cell;
    std::set<std::string> told;
    for (const SentRecord& record : context.new_records()) {
        ++tally.records;
        find_leaks(place, dead_letter_of(record), "a dead letter", tally);
        const auto own = by_session.find(record.session);
        if (record.event_class == EventClass::evidence) {
            if (own != by_session.end() && shows(record.value, own->second->canary)) {
                told.insert(record.session);
            }
            continue;
        }
        find_leaks(place, record.value, spangate::name_of(record.event_class), tally);
        find_leaks(place, record.session, "a key", tally);
    }
    tally.told_in_evidence += told.size();
    for (const Cell& cell : cells) {
        if (place.is_kept && !told.contains(cell.session_id))
            tally.untold.insert(name_of(place, cell));
    }
}

// The request that puts `cells` into the place; those that cannot stand there are left out.
std::string body_of(const Place& place, BodyEncoding encoding, std::vector<Cell>& cells) {
    const auto coded = [encoding](const auto& request) {
        return encoding == BodyEncoding::json ? as_otlp_json(request) : request.SerializeAsString();
    };
    return place.in_span ? coded(trace_request(place, cells)) : coded(log_request(place, cells));
}

Signal signal_of(const Place& place) {
    return place.in_span ? Signal::traces : Signal::logs;
}

void walk_place(const Place& place, BodyEncoding encoding, ProductContext& context, Tally& tally) {
    if (encoding == BodyEncoding::json && !place.is_in_json) return;
    std::vector<Cell> cells = cells_of(place);
    const std::string body = body_of(place, encoding, cells);
    const Outcome outcome = context.take(body, signal_of(place), encoding);
    INFO(place.name);
    CHECK(outcome.is_success);
    CHECK(outcome.rejected_items == 0);
    ++tally.places;
    tally.cells += cells.size();
    check_records(place, cells, context, tally);
}

std::vector<Place> all_places() {
    std::vector<Place> places = span_places();
    for (Place& place : log_places())
        places.push_back(std::move(place));
    return places;
}

std::string listed(const std::set<std::string>& names) {
    std::string out;
    for (const std::string& name : names)
        out += "\n  " + name;
    return out;
}

void walk_matrix(EventEncoding records, std::string_view records_name) {
    Tally tally;
    ProductContext context(records);
    for (const Place& place : all_places()) {
        walk_place(place, BodyEncoding::protobuf, context, tally);
        walk_place(place, BodyEncoding::json, context, tally);
    }
    const std::string metrics = context.metrics.exposition();
    for (const Canary& canary : canaries()) {
        INFO(canary.name);
        CHECK_FALSE(shows(metrics, canary));
    }
    INFO("leaks:" << listed(tally.leaks));
    CHECK(tally.leaks.empty());
    INFO("not in evidence:" << listed(tally.untold));
    CHECK(tally.untold.empty());
    std::cout << "canary matrix, records in " << records_name << ": " << tally.places
              << " places (protobuf and JSON apart) × " << canaries().size() << " canaries of "
              << detectors_count << " detectors, alone and in a sentence = " << tally.cells
              << " cells; " << tally.records << " records, " << tally.leaks.size() << " leaks, "
              << tally.told_in_evidence << " cells told by evidence\n";
}

void check_reply(const Outcome& outcome, const std::vector<Cell>& cells) {
    for (const Cell& cell : cells) {
        INFO(cell.canary.name << ": " << outcome.message);
        CHECK_FALSE(shows(outcome.message, cell.canary));
    }
}

}  // namespace

TEST_CASE("every detector has a canary, and finds it") {
    std::set<Detector> covered;
    for (const Canary& canary : canaries()) {
        INFO(canary.name);
        covered.insert(canary.detector);
        std::vector<Match> matches;
        detect(canary.text, bit(canary.detector), {}, matches);
        CHECK_FALSE(matches.empty());
    }
    CHECK(covered.size() == detectors_count);
}

TEST_CASE("the matrix sees what leaves when no detector looks") {
    Config config;
    config.redact.detectors = {"iban"};
    Tally tally;
    ProductContext context(EventEncoding::json, config);
    for (const Place& place : span_places()) {
        if (place.name == "span attribute: string" || place.name == "span attribute: bytes") {
            walk_place(place, BodyEncoding::protobuf, context, tally);
        }
    }
    // Two places, a leak of every canary but the two IBANs in each; detail alone holds content.
    CHECK(tally.leaks.size() == 2 * (canaries().size() - 2));
}

TEST_CASE("no canary leaves as JSON but in evidence, wherever it stood") {
    walk_matrix(EventEncoding::json, "JSON");
}

TEST_CASE("no canary leaves as protobuf but in evidence, wherever it stood") {
    walk_matrix(EventEncoding::protobuf, "protobuf");
}

TEST_CASE("no canary is told to a client whose request cannot be read") {
    ProductContext context(EventEncoding::json);
    std::size_t replies = 0;
    for (const Place& place : all_places()) {
        for (const BodyEncoding encoding : {BodyEncoding::protobuf, BodyEncoding::json}) {
            std::vector<Cell> cells = cells_of(place);
            std::string body = body_of(place, encoding, cells);
            const auto reply_to = [&](std::string_view text) {
                check_reply(context.take(text, signal_of(place), encoding), cells);
                ++replies;
            };
            // Cut off at the end, in a string of the first group, and in the middle.
            for (const std::size_t cut :
                 {body.size() - 1, body.find("He wrote") + 12, body.size() / 2})
                reply_to(std::string_view(body).substr(0, std::min(cut, body.size())));
            body.back() = '\xff';
            reply_to(body);
        }
    }
    std::cout << "canary matrix: " << replies << " replies to bodies that were cut or broken\n";
}

TEST_CASE("no canary is told to a client whose spans are refused") {
    ProductContext context(EventEncoding::json);
    for (const Place& place : span_places()) {
        std::vector<Cell> cells = cells_of(place);
        OtlpRequest request = trace_request(place, cells);
        for (auto& group : *request.mutable_resource_spans())
            group.mutable_scope_spans(0)->mutable_spans(0)->set_trace_id("short");
        const Outcome outcome = context.take(request.SerializeAsString());
        CHECK(outcome.rejected_items == cells.size());
        check_reply(outcome, cells);
        CHECK(context.new_records().empty());
    }
}

}  // namespace spangate::testing
