#include "app/explain_report.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "base/text.h"
#include "redact/forms.h"

namespace spangate {
namespace {

constexpr double milli_nanos = 1e6;

std::string hex_of(std::span<const std::uint8_t> id) {
    return is_zero(id) ? std::string() : to_hex(id);
}

std::uint64_t bytes_of(const Value& value) {
    switch (value.kind) {
        case ValueKind::empty:
            return 0;
        case ValueKind::string:
        case ValueKind::bytes:
            return value.size;
        case ValueKind::boolean:
            return 1;
        case ValueKind::integer:
        case ValueKind::real:
            return 8;
        case ValueKind::array: {
            std::uint64_t bytes = 0;
            for (const Value& item : value.array())
                bytes += bytes_of(item);
            return bytes;
        }
        case ValueKind::kvlist: {
            std::uint64_t bytes = 0;
            for (const Attribute& item : value.kvlist())
                bytes += item.key.size() + bytes_of(item.value);
            return bytes;
        }
    }
    return 0;
}

std::string_view treatment_name(Treatment treatment) {
    switch (treatment) {
        case Treatment::content:
            return "content";
        case Treatment::plain:
            return "plain";
        case Treatment::mapped:
            return "mapped";
        case Treatment::identity:
            return "identity";
    }
    return "content";
}

std::string_view fate_name(Fate fate) {
    switch (fate) {
        case Fate::kept:
            return "kept";
        case Fate::dropped_other:
            return "dropped_other";
        case Fate::dropped_partial:
            return "dropped_partial";
    }
    return "kept";
}

std::string words_of(BoundBy by, std::string_view from_span) {
    switch (by) {
        case BoundBy::own:
            return "its own key";
        case BoundBy::ancestor:
            return fmt::format("the key of its nearest keyed ancestor, span {}", from_span);
        case BoundBy::root:
            return fmt::format("the key of its trace's root, span {}", from_span);
        case BoundBy::trace_batch:
            return fmt::format("the only key of its trace in this body, on span {}", from_span);
        case BoundBy::trace_memory:
            return "the only key known for its trace from an earlier body";
        case BoundBy::link:
            return "the key of a trace that it links to";
        case BoundBy::resource:
            return "a key of its resource; no span of its trace has one";
        case BoundBy::trace_id:
            return "its trace id; no key was found anywhere";
        case BoundBy::log:
            return "its resource's hash; it has neither a key nor a trace";
    }
    return {};
}

std::string_view words_of(SessionKeySeen::Fate fate) {
    switch (fate) {
        case SessionKeySeen::Fate::taken:
            return "taken";
        case SessionKeySeen::Fate::same:
            return "the same session";
        case SessionKeySeen::Fate::weaker:
            return "another value, not taken: the key above stands before it in session_id";
        case SessionKeySeen::Fate::rejected:
            return "not taken: no session's name (session_id: reject)";
    }
    return {};
}

}  // namespace

std::string ExplainReporter::fit_to_show(std::string_view text) const {
    std::vector<Match> matches;
    rules_.find(text, {}, matches);
    const bool is_fit = matches.empty() && (is_name(text) || is_operational_span_name(text));
    return is_fit ? std::string(text) : std::string();
}

void ExplainReporter::describe(
    const Explanation& explanation, const ReleasedItem* released, ItemReport& report
) const {
    const SpanView& span = *explanation.span;
    report.kind = span.is_log() ? "log" : "span";
    report.trace_id = hex_of(span.trace_id);
    report.span_id = hex_of(span.span_id);
    report.parent_span_id = hex_of(span.parent_span_id);
    report.fate = fate_name(explanation.fate);
    if (span.is_log()) {
        report.name = fit_to_show(explanation.record_name);
        report.status = span.log->severity_text.size() < 16 ? fit_to_show(span.log->severity_text)
                                                            : std::string();
        return;
    }
    const bool has_release = released != nullptr && released->detail != nullptr;
    report.name = has_release ? std::string(released->detail->name) : fit_to_show(span.name);
    if (report.name.empty()) report.name = fmt::format("(a name of {} bytes)", span.name.size());
    report.span_kind = span_kind_names[static_cast<std::size_t>(span.kind)];
    report.status = status_code_names[static_cast<std::size_t>(span.status_code)];
    if (span.end_unix_nano >= span.start_unix_nano && span.start_unix_nano != 0) {
        report.duration_ms =
            static_cast<double>(span.end_unix_nano - span.start_unix_nano) / milli_nanos;
    }
}

void ExplainReporter::add_conventions(const Explanation& explanation, ItemReport& report) const {
    if (explanation.convention != no_index) {
        report.convention = table_.conventions[explanation.convention].id;
    }
    if (explanation.rule != nullptr) report.rule_line = explanation.rule->line;
    const auto by_what = [&](ConventionMask bit) -> std::string {
        if ((table_.always & bit) != 0) return "always";
        if ((explanation.held_by_scope & bit) != 0) {
            const std::string scope = fit_to_show(explanation.span->scope->name);
            return scope.empty() ? "scope" : "scope " + scope;
        }
        if ((explanation.held_by_resource & bit) != 0) return "resource";
        if ((explanation.held_by_attributes & bit) == 0) return "its detect condition";
        for (const Attribute& attribute : explanation.span->attributes) {
            if ((table_.facts_of(attribute.key).detects & bit) == 0) continue;
            return "key " + std::string(attribute.key);
        }
        return "key";
    };
    for (ConventionMask rest = explanation.holding & ~common_bit; rest != 0; rest &= rest - 1) {
        const auto index = static_cast<std::size_t>(std::countr_zero(rest));
        report.holding.emplace_back(
            table_.conventions[index].id, by_what(ConventionMask{1} << index)
        );
    }
}

void ExplainReporter::add_drop(const Explanation& explanation, ItemReport& report) const {
    if (explanation.fate == Fate::dropped_partial) {
        report.because = fmt::format(
            "an unfinished copy of a span: drop_partial, line {}", explanation.partial_line
        );
    } else if (explanation.fate == Fate::dropped_other) {
        const bool is_internal = explanation.rule != nullptr && explanation.rule->incidental;
        report.because = fmt::format(
            "{}; no error, no content, and no key of an agent's",
            is_internal ? "the rule is for a program's internals (incidental)"
                        : "only `fallback` matched"
        );
    }
}

void ExplainReporter::add_session(
    const Explanation& explanation, const ReleasedItem* released, ItemReport& report
) const {
    report.tenant = explanation.tenant_id;
    if (explanation.tenant_is_given) {
        report.tenant_because = "the configuration says so";
    } else if (explanation.tenant_entry != nullptr) {
        report.tenant_because = text_of(table_, *explanation.tenant_entry);
    } else if (explanation.tenant_by != TenantBy::nobody) {
        report.tenant_because = "its trace, or one that it links to, says so";
    } else {
        report.tenant_because = "nothing says which";
    }
    SessionReport& session = report.session;
    if (explanation.bound_from != nullptr) {
        session.from_span = hex_of(explanation.bound_from->span_id);
    }
    session.id = released != nullptr ? std::string(released->session.session_id) : std::string();
    session.bound_by = bound_by_names[static_cast<std::size_t>(explanation.bound_by)];
    session.source = explanation.session.source;
    session.because = words_of(explanation.bound_by, session.from_span);
    for (const SessionKeySeen& seen : explanation.session_keys) {
        if (seen.fate == SessionKeySeen::Fate::taken) continue;
        session.other_keys.emplace_back(seen.key, words_of(seen.fate));
    }
    const bool has_weaker_resource =
        !explanation.of_resource.empty() && explanation.bound_by != BoundBy::resource;
    if (!has_weaker_resource) return;
    const bool is_same = explanation.of_resource.session_id == explanation.session.session_id;
    session.other_keys.emplace_back(
        fmt::format("resource {}", explanation.of_resource.source),
        is_same ? "the same session" : "another value, not taken: a span's key is stronger"
    );
}

AttributeReport ExplainReporter::attribute(
    const Attribute& attribute, std::string place, ConventionMask holding
) const {
    AttributeReport report;
    report.place = std::move(place);
    append_as_utf8(attribute.key, report.key);
    report.treatment = treatment_name(attribute.treatment);
    if (attribute.role != ContentRole::other) report.role = name_of(attribute.role);
    report.bytes = bytes_of(attribute.value);
    Naming naming = naming_of(table_, attribute.key, holding);
    report.list = std::move(naming.list);
    report.pattern = std::move(naming.pattern);
    if (shows_content_ && attribute.value.is_text()) {
        append_as_utf8(attribute.value.text(), report.value.emplace());
    }
    return report;
}

std::vector<AttributeReport> ExplainReporter::resource(const SpanView& span) const {
    std::vector<AttributeReport> reports;
    for (const Attribute& one : span.resource->attributes)
        reports.push_back(attribute(one, "resource", 0));
    for (const Attribute& one : span.scope->attributes)
        reports.push_back(attribute(one, "scope", 0));
    for (AttributeReport& report : reports) {
        const bool is_listed = report.list.empty() || report.list.ends_with(" content");
        if (report.treatment != "content" || is_listed) continue;
        report.list = report.place == "scope" ? "" : "common content.resource_keys";
        report.pattern.clear();
    }
    return reports;
}

void ExplainReporter::add_attributes(
    const Explanation& explanation, bool is_dropped, ItemReport& report
) const {
    const SpanView& span = *explanation.span;
    std::vector<AttributeReport>& all = report.attributes;
    for (const Attribute& one : span.attributes)
        all.push_back(attribute(one, std::string(report.kind), explanation.holding));
    if (span.is_log() && span.log->body.value.kind != ValueKind::empty) {
        AttributeReport body = attribute(span.log->body, "log", explanation.holding);
        body.list = "a log record's body always is content";
        body.pattern.clear();
        all.push_back(std::move(body));
    }
    for (std::size_t i = 0; i < span.events.size(); ++i) {
        for (const Attribute& one : span.events[i].attributes) {
            AttributeReport of_event =
                attribute(one, fmt::format("event {}", i), explanation.holding);
            const bool is_forced = of_event.treatment == "content" &&
                                   !of_event.list.ends_with(" content") && !is_dropped;
            if (is_forced && (!of_event.list.empty() || is_named_content(span.events[i], one))) {
                of_event.list = "content.span_events";
                of_event.pattern.clear();
            }
            all.push_back(std::move(of_event));
        }
    }
    for (AttributeReport& one : all) {
        if (is_dropped) one.treatment.clear();
        const bool is_of_configuration =
            one.place == "span" && one.treatment == "mapped" && !one.list.ends_with(" fields");
        if (is_of_configuration) one.list = "processors.interpret.session_keys";
    }
}

bool ExplainReporter::is_named_content(const SpanEventView& event, const Attribute& attribute)
    const {
    return std::any_of(
        table_.span_event_content.begin(),
        table_.span_event_content.end(),
        [&](const SpanEventContent& content) {
            if (content.name != event.name) return false;
            return content.all ||
                   std::any_of(content.keys.begin(), content.keys.end(), [&](KeyId key) {
                       return table_.keys[key] == attribute.key;
                   });
        }
    );
}

ItemReport ExplainReporter::item(
    const Explanation& explanation, const ReleasedItem* released, std::size_t number
) const {
    ItemReport report;
    report.number = number;
    describe(explanation, released, report);
    add_conventions(explanation, report);
    add_drop(explanation, report);
    add_session(explanation, released, report);
    add_attributes(explanation, released == nullptr, report);
    report.twin_because = explanation.twin_because;
    if (released == nullptr) return report;
    add_events(explanation, *released, report);
    add_fields(explanation, *released, report);
    return report;
}

ItemReport ExplainReporter::alias(const ReleasedItem& released) const {
    ItemReport report;
    report.kind = "alias";
    report.fate = "kept";
    report.trace_id = hex_of(released.item->span->trace_id);
    report.tenant = released.session.tenant_id;
    report.session.id = released.session.session_id;
    for (const FieldValue& value : released.events[released.primary].fields->values()) {
        const bool is_shown =
            value.id == FieldId::alias_session_id || value.id == FieldId::alias_reason;
        if (is_shown) report.fields.push_back(field(value, {}));
    }
    EventReport event;
    event.type = name_of(EventType::session_alias);
    event.event_id = view(released.events[released.primary].event_id);
    event.at = "end";
    event.made = "gateway";
    event.is_primary = true;
    report.events.push_back(std::move(event));
    return report;
}

void ExplainTotals::add_unnamed(const std::vector<AttributeReport>& attributes) {
    for (const AttributeReport& one : attributes) {
        if (!one.list.empty()) continue;
        const bool is_of_event = one.place.starts_with("event ");
        ++unnamed_keys[(is_of_event ? "event" : one.place) + " " + one.key];
    }
}

void ExplainTotals::add(const ItemReport& item) {
    for (const EventReport& event : item.events)
        ++events[event.type];
    if (item.kind == "alias") {
        ++aliases;
        return;
    }
    ++items;
    add_unnamed(item.attributes);
    if (item.fate == "dropped_other") ++dropped_other;
    if (item.fate == "dropped_partial") ++dropped_partial;
    if (item.fate != "kept") return;
    ++conventions[item.rule_line == 0 ? "(no rule)" : item.convention];
    ++sessions[item.session.bound_by];
}

}  // namespace spangate
