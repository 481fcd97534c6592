// A log of one line in a directory of a test's own (or on a file system that the test gives), and
// records that can be told apart.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/file_system.h"
#include "observe/metrics.h"
#include "spool/spool_log.h"
#include "support/faulty_file_system.h"
#include "support/temporary_directory.h"

namespace spangate::testing {

// What a record owns; view() is what the log takes.
struct OwnedSpoolRecord {
    std::uint64_t number = 0;
    std::string tenant = "acme";
    std::string key;
    std::string traceparent;
    std::string value;

    [[nodiscard]] SpoolRecord view() const {
        SpoolRecord record;
        record.event_class = EventClass::detail;
        record.event_type = EventType::inference;
        record.event_id.fill('0');
        const std::string digits = std::to_string(number);
        std::copy(digits.rbegin(), digits.rend(), record.event_id.rbegin());
        record.timestamp_ms = 1'790'000'000'000 + static_cast<std::int64_t>(number);
        record.session_hash = number % 7;
        record.gateway_epoch = 12;
        record.gateway_seq = number;
        record.tenant_id = tenant;
        record.key = key;
        record.traceparent = traceparent;
        record.value = value;
        return record;
    }
};

// Record number `number`, with a value of `bytes` bytes that depend on it.
inline OwnedSpoolRecord spool_record(std::uint64_t number, std::size_t bytes = 100) {
    OwnedSpoolRecord record;
    record.number = number;
    record.key = "session-" + std::to_string(number % 7);
    if (number % 2 == 0) record.traceparent = "00-" + std::string(32, 'a') + "-b7ad6b7169203331-01";
    record.value.resize(bytes);
    for (std::size_t i = 0; i < bytes; ++i) {
        record.value[i] = static_cast<char>('a' + (number * 31 + i * 7) % 26);
    }
    return record;
}

class SpoolContext {
  public:
    explicit SpoolContext(std::uint64_t bytes_max = 64 * 1024 * 1024) : space(bytes_max) {
        settings.directory = directory.path() + "/detail";
        settings.line = SpoolLine::detail;
        settings.seed = 1;
    }

    // As after a restart: what the log kept in memory is gone.
    SpoolLog& open() {
        log.reset();
        Result<std::unique_ptr<SpoolLog>> opened = SpoolLog::open(settings, files, space, metrics);
        if (!opened) FAIL(opened.error().message);
        log = std::move(*opened);
        return *log;
    }

    void append(std::uint64_t first, std::uint64_t last, std::size_t bytes = 100) {
        for (std::uint64_t number = first; number <= last; ++number) {
            REQUIRE(log->append(spool_record(number, bytes).view()).has_value());
        }
    }

    void store(std::uint64_t first, std::uint64_t last, std::size_t bytes = 100) {
        append(first, last, bytes);
        REQUIRE(log->sync().has_value());
    }

    // The numbers of what is read now, all of it, each looked at whole.
    std::vector<std::uint64_t> read(std::vector<std::uint64_t>* entries = nullptr) {
        std::vector<std::uint64_t> numbers;
        while (true) {
            const Result<std::optional<SpoolEntry>> entry = log->read_next();
            REQUIRE(entry.has_value());
            if (!entry->has_value()) return numbers;
            const SpoolRecord& record = (*entry)->record;
            const OwnedSpoolRecord expected = spool_record(record.gateway_seq, record.value.size());
            if (record.value != expected.value || record.key != expected.key ||
                record.traceparent != expected.traceparent || record.tenant_id != "acme" ||
                record.event_id != expected.view().event_id ||
                record.timestamp_ms != expected.view().timestamp_ms) {
                FAIL("record " << record.gateway_seq << " is not what was written");
            }
            numbers.push_back(record.gateway_seq);
            if (entries != nullptr) entries->push_back((*entry)->entry_no);
        }
    }

    void acknowledge(const std::vector<std::uint64_t>& entries) {
        for (const std::uint64_t entry_no : entries)
            log->acknowledge(entry_no);
    }

    [[nodiscard]] std::vector<std::string> names() { return *files.list(settings.directory); }

    [[nodiscard]] std::uint64_t count(const std::string& name) {
        return metrics.counter("spangate_spool_" + name, "", {{"class", "detail"}}).value();
    }

    [[nodiscard]] std::uint64_t damages(std::string_view reason) {
        return metrics
            .counter("spangate_spool_damages_total", "", {{"class", "detail"}, {"reason", reason}})
            .value();
    }

    TemporaryDirectory directory;
    FaultyFileSystem files;
    SpoolSpace space;
    Metrics metrics;
    SpoolLogSettings settings;
    std::unique_ptr<SpoolLog> log;
};

inline std::vector<std::uint64_t> numbers(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t number = first; number <= last; ++number)
        all.push_back(number);
    return all;
}

}  // namespace spangate::testing
