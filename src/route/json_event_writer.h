// Writes the event contract as one flat JSON object (contract §7). The walk that says what is
// written is route/event_walk.h; this is only how. One writer per record, over the lane's scratch
// string.
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/text.h"
#include "model/span_view.h"
#include "route/field_key.h"
#include "route/json_text.h"

namespace spangate {

class JsonEventWriter {
  public:
    explicit JsonEventWriter(std::string& out) : out_(out) {
        out_.clear();
        out_ += '{';
    }

    void finish() { out_ += '}'; }

    void text(FieldKey key, std::string_view value) {
        name(key);
        append_json_string(out_, value);
    }

    void integer(FieldKey key, std::int64_t value) {
        name(key);
        append_json_integer(out_, value);
    }

    void real(FieldKey key, double value) {
        name(key);
        append_json_real(out_, value);
    }

    void flag(FieldKey key, bool value) {
        name(key);
        out_ += value ? "true" : "false";
    }

    void time(FieldKey key, WallNanos value) {
        name(key);
        out_ += '"';
        const std::size_t at = out_.size();
        out_.resize(at + rfc3339_size);
        write_rfc3339(value, out_.data() + at);
        out_ += '"';
    }

    void hex(FieldKey key, std::span<const std::uint8_t> bytes) {
        name(key);
        out_ += '"';
        const std::size_t at = out_.size();
        out_.resize(at + bytes.size() * 2);
        write_hex(bytes, out_.data() + at);
        out_ += '"';
    }

    void bytes(FieldKey key, std::string_view value) {
        name(key);
        append_base64(value);
    }

    void texts(FieldKey key, std::span<const std::string_view> values) {
        name(key);
        out_ += '[';
        for (const std::string_view value : values) {
            separate();
            append_json_string(out_, value);
        }
        out_ += ']';
    }

    void reals(FieldKey key, std::span<const double> values) {
        name(key);
        out_ += '[';
        for (const double value : values) {
            separate();
            append_json_real(out_, value);
        }
        out_ += ']';
    }

    // Room for what Delivery knows: 13 digits and 20 characters. The offset of the room is
    // returned.
    [[nodiscard]] std::uint32_t epoch_slot(FieldKey key) { return slot(key, 13, '0'); }

    [[nodiscard]] std::uint32_t seq_slot(FieldKey key) { return slot(key, 20, ' '); }

    void attributes(
        FieldKey key, std::span<const Attribute> first, std::span<const Attribute> second
    ) {
        name(key);
        out_ += '{';
        members(first, second);
        members(second, {});
        out_ += '}';
    }

    void value(FieldKey key, const Value& value) {
        name(key);
        append_value(value);
    }

    void begin_list(FieldKey key) {
        name(key);
        out_ += '[';
    }

    void end_list() { out_ += ']'; }

    // An object in the list that is open.
    void begin_item(FieldKey) {
        separate();
        out_ += '{';
    }

    void end_item() { out_ += '}'; }

    void begin_message(FieldKey key) {
        name(key);
        out_ += '{';
    }

    void end_message() { out_ += '}'; }

    void begin_map(FieldKey key) { begin_message(key); }

    void end_map() { end_message(); }

    // One entry of the map that is open.
    void count(FieldKey, std::string_view rule, std::uint32_t value) {
        separate();
        append_json_string(out_, rule);
        out_ += ':';
        append_json_integer(out_, value);
    }

    // JSON that is already JSON.
    void raw_json(FieldKey key, std::string_view json) {
        name(key);
        out_ += json;
    }

  private:
    void separate() {
        if (out_.back() != '{' && out_.back() != '[') out_ += ',';
    }

    void name(FieldKey key) {
        separate();
        out_ += '"';
        out_ += key.name;
        out_ += "\":";
    }

    std::uint32_t slot(FieldKey key, std::size_t size, char filler) {
        name(key);
        const auto at = static_cast<std::uint32_t>(out_.size());
        out_.append(size, filler);
        return at;
    }

    void append_base64(std::string_view value) {
        out_ += '"';
        const std::size_t at = out_.size();
        out_.resize(at + base64_size(value.size()));
        write_base64(value, out_.data() + at);
        out_ += '"';
    }

    // Members of `items` but those that stand again later in `items` or in `later`: the last wins.
    void members(std::span<const Attribute> items, std::span<const Attribute> later) {
        if (items.size() + later.size() > pairwise_max) {
            many_members(items, later);
            return;
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            const Attribute& item = items[i];
            if (stands_in(item.key, items.subspan(i + 1)) || stands_in(item.key, later)) continue;
            member(item);
        }
    }

    // As members(), for lists so long that comparing each with each would cost too much. Rare.
    void many_members(std::span<const Attribute> items, std::span<const Attribute> later) {
        std::unordered_map<std::string_view, const Attribute*> last;
        for (const Attribute& item : items) {
            if (item.value.kind != ValueKind::empty) last[item.key] = &item;
        }
        for (const Attribute& item : later) {
            if (item.value.kind != ValueKind::empty) last[item.key] = &item;
        }
        for (const Attribute& item : items) {
            const auto winner = last.find(item.key);
            if (winner != last.end() && winner->second == &item) member(item);
        }
    }

    // An empty AnyValue is left out.
    void member(const Attribute& item) {
        if (item.value.kind == ValueKind::empty) return;
        separate();
        append_json_string(out_, item.key);
        out_ += ':';
        append_value(item.value);
    }

    static bool stands_in(std::string_view key, std::span<const Attribute> items) {
        for (const Attribute& item : items) {
            if (item.key == key && item.value.kind != ValueKind::empty) return true;
        }
        return false;
    }

    void append_value(const Value& value) {
        switch (value.kind) {
            case ValueKind::empty:
                out_ += "null";
                return;
            case ValueKind::string:
                append_json_string(out_, value.text());
                return;
            case ValueKind::boolean:
                out_ += value.boolean ? "true" : "false";
                return;
            case ValueKind::integer:
                integer_value(value.integer);
                return;
            case ValueKind::real:
                real_value(value.real);
                return;
            case ValueKind::bytes:
                append_base64(value.text());
                return;
            case ValueKind::array:
                out_ += '[';
                for (const Value& item : value.array()) {
                    separate();
                    append_value(item);
                }
                out_ += ']';
                return;
            case ValueKind::kvlist:
                out_ += '{';
                members(value.kvlist(), {});
                out_ += '}';
                return;
        }
    }

    // Beyond ±(2^53−1) a JSON reader may lose digits: a decimal string instead.
    void integer_value(std::int64_t value) {
        constexpr std::int64_t exact_max = (std::int64_t{1} << 53) - 1;
        const bool is_exact = value <= exact_max && value >= -exact_max;
        if (!is_exact) out_ += '"';
        append_json_integer(out_, value);
        if (!is_exact) out_ += '"';
    }

    void real_value(double value) {
        if (std::isnan(value)) {
            out_ += "\"NaN\"";
        } else if (std::isinf(value)) {
            out_ += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
        } else {
            append_json_real(out_, value);
        }
    }

    static constexpr std::size_t pairwise_max = 64;

    std::string& out_;
};

}  // namespace spangate
