#include "interpret/loose_value.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "base/text.h"
#include "digest/canonical_json.h"

namespace spangate {
namespace {

std::string_view trimmed(std::string_view text) {
    const auto is_blank = [](char c) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
    };
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
    }
    return text;
}

template <typename Number>
std::optional<Number> parsed(std::string_view text) {
    if (text.starts_with('+')) text.remove_prefix(1);
    Number number{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::optional<std::int64_t> whole(double number) {
    constexpr double limit = 9.2e18;  // below 2^63
    if (!std::isfinite(number) || std::trunc(number) != number) return std::nullopt;
    if (number > limit || number < -limit) return std::nullopt;
    return static_cast<std::int64_t>(number);
}

}  // namespace

std::string_view scalar_text(const Value& value, ScalarText& buffer) {
    char* end = buffer.data() + buffer.size();
    switch (value.kind) {
        case ValueKind::string:
            return value.text();
        case ValueKind::boolean:
            return value.boolean ? "true" : "false";
        case ValueKind::integer: {
            const auto written = std::to_chars(buffer.data(), end, value.integer);
            return {buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data())};
        }
        case ValueKind::real: {
            const auto written = std::to_chars(buffer.data(), end, value.real);
            return {buffer.data(), static_cast<std::size_t>(written.ptr - buffer.data())};
        }
        case ValueKind::empty:
        case ValueKind::bytes:
        case ValueKind::array:
        case ValueKind::kvlist:
            return {};
    }
    return {};
}

std::string_view unquoted(std::string_view text, Arena& arena) {
    if (text.size() < 2 || text.front() != '"' || text.back() != '"') return text;
    const std::string_view inner = text.substr(1, text.size() - 2);
    if (inner.find('"') == std::string_view::npos && inner.find('\\') == std::string_view::npos) {
        return inner;
    }
    // Escapes are rare in ids and names: the four that keep a text a text are enough.
    char* out = static_cast<char*>(arena.allocate(inner.size(), 1));
    std::size_t size = 0;
    for (std::size_t i = 0; i < inner.size(); ++i) {
        if (inner[i] == '"') return text;
        if (inner[i] != '\\') {
            out[size++] = inner[i];
            continue;
        }
        if (++i == inner.size()) return text;
        if (inner[i] != '"' && inner[i] != '\\' && inner[i] != '/') return text;
        out[size++] = inner[i];
    }
    return {out, size};
}

std::string_view text_of(const Value& value, Arena& arena) {
    switch (value.kind) {
        case ValueKind::string:
            return unquoted(value.text(), arena);
        case ValueKind::bytes: {
            const std::string_view bytes = value.text();
            char* out = static_cast<char*>(arena.allocate(base64_size(bytes.size()), 1));
            write_base64(bytes, out);
            return {out, base64_size(bytes.size())};
        }
        case ValueKind::array:
        case ValueKind::kvlist: {
            std::string json;
            return arena.copy(canonical_json(value, json));
        }
        case ValueKind::empty:
        case ValueKind::boolean:
        case ValueKind::integer:
        case ValueKind::real: {
            ScalarText buffer;
            const std::string_view text = scalar_text(value, buffer);
            return text.data() == buffer.data() ? arena.copy(text) : text;
        }
    }
    return {};
}

std::optional<std::int64_t> whole_number_of(const Value& value) {
    switch (value.kind) {
        case ValueKind::integer:
            return value.integer;
        case ValueKind::real:
            return whole(value.real);
        case ValueKind::string: {
            const std::string_view text = trimmed(value.text());
            if (const auto number = parsed<std::int64_t>(text)) return number;
            const auto real = parsed<double>(text);
            return real ? whole(*real) : std::nullopt;
        }
        case ValueKind::empty:
        case ValueKind::boolean:
        case ValueKind::bytes:
        case ValueKind::array:
        case ValueKind::kvlist:
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<double> number_of(const Value& value) {
    switch (value.kind) {
        case ValueKind::integer:
            return static_cast<double>(value.integer);
        case ValueKind::real:
            return std::isfinite(value.real) ? std::optional(value.real) : std::nullopt;
        case ValueKind::string: {
            const auto number = parsed<double>(trimmed(value.text()));
            return number && std::isfinite(*number) ? number : std::nullopt;
        }
        case ValueKind::empty:
        case ValueKind::boolean:
        case ValueKind::bytes:
        case ValueKind::array:
        case ValueKind::kvlist:
            return std::nullopt;
    }
    return std::nullopt;
}

std::optional<bool> flag_of(const Value& value) {
    if (value.kind == ValueKind::boolean) return value.boolean;
    ScalarText buffer;
    const std::string_view text = trimmed(scalar_text(value, buffer));
    if (equals_ignore_case(text, "true") || text == "1") return true;
    if (equals_ignore_case(text, "false") || text == "0") return false;
    return std::nullopt;
}

}  // namespace spangate
