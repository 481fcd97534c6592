#include "app/explain_input.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "receive/content_coding.h"

namespace spangate {
namespace {

constexpr std::size_t grpc_prefix_size = 5;
constexpr int wrappings_max = 4;  // a gRPC message around gzip, and one more to be kind

struct JsonSignal {
    std::string_view key;
    Signal signal;
};

constexpr std::array json_signals = {
    JsonSignal{"\"resourceSpans\"", Signal::traces},
    JsonSignal{"\"resource_spans\"", Signal::traces},
    JsonSignal{"\"resourceLogs\"", Signal::logs},
    JsonSignal{"\"resource_logs\"", Signal::logs},
    JsonSignal{"\"resourceMetrics\"", Signal::metrics},
    JsonSignal{"\"resource_metrics\"", Signal::metrics}};

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
    return static_cast<std::uint8_t>(bytes[at]);
}

// Fields of one protobuf message, as far as they can be read.
class WireFields {
  public:
    enum Type : std::uint8_t { varint = 0, fixed64 = 1, length = 2, fixed32 = 5 };

    explicit WireFields(std::string_view message) : rest_(message) {}

    // False at the end, and where it is no protobuf: then is_sound() tells.
    bool next() {
        if (rest_.empty() || !is_sound_) return false;
        const std::uint64_t tag = read_varint();
        number_ = static_cast<std::uint32_t>(tag >> 3);
        type_ = static_cast<Type>(tag & 7U);
        std::uint64_t size = 0;
        if (type_ == varint) {
            static_cast<void>(read_varint());
        } else if (type_ == length) {
            size = read_varint();
        } else if (type_ == fixed64) {
            size = 8;
        } else if (type_ == fixed32) {
            size = 4;
        } else {
            is_sound_ = false;
        }
        is_sound_ = is_sound_ && number_ != 0 && size <= rest_.size();
        if (!is_sound_) return false;
        value_ = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
    }

    [[nodiscard]] bool is_sound() const { return is_sound_; }

    [[nodiscard]] bool is(std::uint32_t number, Type type) const {
        return number_ == number && type_ == type;
    }

    [[nodiscard]] std::string_view value() const { return value_; }

  private:
    std::uint64_t read_varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) break;
            const std::uint8_t byte = byte_at(rest_, 0);
            rest_.remove_prefix(1);
            value |= std::uint64_t{byte & 0x7FU} << shift;
            if (byte < 0x80) return value;
        }
        is_sound_ = false;
        return 0;
    }

    std::string_view rest_;
    std::string_view value_;
    std::uint32_t number_ = 0;
    Type type_ = varint;
    bool is_sound_ = true;
};

// A span begins with its trace id, a log record with its time; a metric with its name.
std::optional<Signal> signal_of_item(std::string_view item) {
    WireFields fields(item);
    bool has_text_first = false;
    while (fields.next()) {
        if (fields.is(1, WireFields::length) && fields.value().size() == 16) return Signal::traces;
        if (fields.is(7, WireFields::fixed64)) return Signal::traces;
        const bool is_log = fields.is(1, WireFields::fixed64) ||
                            fields.is(11, WireFields::fixed64) ||
                            fields.is(2, WireFields::varint) || fields.is(8, WireFields::fixed32) ||
                            (fields.is(9, WireFields::length) && fields.value().size() == 16);
        if (is_log) return Signal::logs;
        has_text_first = has_text_first || fields.is(1, WireFields::length);
    }
    if (!fields.is_sound()) return std::nullopt;
    return has_text_first ? std::optional(Signal::metrics) : std::nullopt;
}

struct Shape {
    bool is_otlp = false;  // resources with scopes, as all three signals have them
    std::optional<Signal> signal;
};

// Resource groups (1) of scope groups (2) of items (2): the same numbers for all signals.
Shape shape_of_protobuf(std::string_view body) {
    Shape shape;
    WireFields groups(body);
    while (groups.next() && groups.is(1, WireFields::length)) {
        shape.is_otlp = true;
        WireFields group(groups.value());
        while (group.next()) {
            if (!group.is(2, WireFields::length)) continue;
            WireFields scope(group.value());
            while (scope.next()) {
                if (!scope.is(2, WireFields::length)) continue;
                shape.signal = signal_of_item(scope.value());
                if (shape.signal) return shape;
            }
        }
        if (!group.is_sound()) shape.is_otlp = false;
    }
    shape.is_otlp = shape.is_otlp && groups.is_sound();
    return shape;
}

std::optional<Signal> signal_of_json(std::string_view text) {
    std::optional<Signal> found;
    std::size_t first = std::string_view::npos;
    for (const JsonSignal& candidate : json_signals) {
        const std::size_t at = text.find(candidate.key);
        if (at >= first) continue;
        first = at;
        found = candidate.signal;
    }
    return found;
}

std::optional<ContentCoding> coding_of(std::string_view bytes) {
    if (bytes.starts_with("\x1f\x8b")) return ContentCoding::gzip;
    if (bytes.starts_with("\x28\xb5\x2f\xfd")) return ContentCoding::zstd;
    const bool is_zlib = bytes.size() > 6 && (byte_at(bytes, 0) & 0x0FU) == 8 &&
                         (byte_at(bytes, 0) * 256U + byte_at(bytes, 1)) % 31U == 0;
    return is_zlib ? std::optional(ContentCoding::deflate) : std::nullopt;
}

constexpr std::array<std::string_view, 4> coding_names = {"plain", "gzip", "zlib", "zstd"};

bool is_grpc_message(std::string_view bytes) {
    if (bytes.size() < grpc_prefix_size || byte_at(bytes, 0) > 1) return false;
    std::size_t size = 0;
    for (std::size_t i = 1; i < grpc_prefix_size; ++i)
        size = size * 256 + byte_at(bytes, i);
    return size == bytes.size() - grpc_prefix_size;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

tl::unexpected<Error> not_otlp(std::string_view why) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "not an OTLP body: {}. Wanted is an ExportTraceServiceRequest or "
            "ExportLogsServiceRequest, protobuf or JSON, also compressed or as a gRPC message",
            why
        )
    );
}

// What bytes look like that are no OTLP; says nothing of what stands in them.
std::string looks_of(std::string_view bytes) {
    const std::string_view text = trimmed(bytes);
    if (text.starts_with('<')) return "it looks like HTML or XML";
    if (text.starts_with('[')) return "it looks like a JSON array; an OTLP body is an object";
    const bool is_text =
        is_utf8(bytes) && std::none_of(bytes.begin(), bytes.end(), [](char c) {
            return static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t';
        });
    if (is_text) return "it looks like plain text";
    return "its bytes are neither JSON nor such protobuf";
}

std::string told(std::string_view wrapped, BodyEncoding encoding, Signal signal) {
    const std::string_view form = encoding == BodyEncoding::json ? "JSON" : "protobuf";
    return fmt::format("{}{}, {}", wrapped, form, signal_names[static_cast<std::size_t>(signal)]);
}

// One body, or several of one line each.
std::vector<std::string_view> json_bodies(std::string_view text) {
    std::vector<std::string_view> bodies;
    while (!text.empty()) {
        std::size_t end = text.find("}\n{\"resource");
        end = end == std::string_view::npos ? text.size() : end + 1;
        bodies.push_back(text.substr(0, end));
        text = trimmed(text.substr(end));
    }
    return bodies;
}

Status append_body(
    std::string_view bytes,
    BodyEncoding encoding,
    std::optional<Signal> signal,
    std::string_view wrapped,
    std::vector<FoundBody>& bodies
) {
    if (!signal) {
        if (encoding == BodyEncoding::json) {
            return not_otlp("it is JSON, but has neither resourceSpans nor resourceLogs");
        }
        signal = Signal::traces;  // resources without items: either reads them alike
    }
    if (*signal == Signal::metrics) {
        return not_otlp("it holds metrics, and metrics make no events");
    }
    FoundBody& found = bodies.emplace_back();
    found.signal = *signal;
    found.encoding = encoding;
    found.body.append(bytes);
    found.looks_like = told(wrapped, encoding, *signal);
    return {};
}

}  // namespace

Result<std::vector<FoundBody>> find_bodies(
    std::string_view bytes, std::optional<Signal> signal, const ReceiverLimits& limits
) {
    if (bytes.empty()) return not_otlp("it is empty");
    std::string wrapped;
    Body inflated;
    for (int i = 0; i < wrappings_max; ++i) {
        if (is_grpc_message(bytes)) {
            bytes.remove_prefix(grpc_prefix_size);
            wrapped += "a gRPC message, ";
            continue;
        }
        const std::optional<ContentCoding> coding = coding_of(bytes);
        if (!coding) break;
        const std::string_view name = coding_names[static_cast<std::size_t>(*coding)];
        Result<Body> body =
            inflate(*coding, bytes, limits.request_bytes_max, [](Bytes) { return Status(); });
        if (!body) {
            return not_otlp(fmt::format("it begins like {}: {}", name, body.error().message));
        }
        inflated = std::move(*body);
        bytes = inflated.view();
        wrapped += fmt::format("{}, ", name);
    }
    std::vector<FoundBody> bodies;
    // A protobuf body may begin with the bytes of "\n{" as well, but then its lengths fit.
    const Shape shape = shape_of_protobuf(bytes);
    const std::string_view text = trimmed(bytes);
    if (!shape.signal && text.starts_with('{')) {
        for (const std::string_view one : json_bodies(text)) {
            const std::optional<Signal> found = signal ? signal : signal_of_json(one);
            Status added = append_body(one, BodyEncoding::json, found, wrapped, bodies);
            if (!added) return tl::unexpected(std::move(added.error()));
        }
        return bodies;
    }
    if (!shape.is_otlp && !shape.signal && !signal) return not_otlp(looks_of(bytes));
    const std::optional<Signal> found = signal ? signal : shape.signal;
    Status added = append_body(bytes, BodyEncoding::protobuf, found, wrapped, bodies);
    if (!added) return tl::unexpected(std::move(added.error()));
    return bodies;
}

Result<std::vector<FoundBody>> read_bodies(
    const std::string& path, std::optional<Signal> signal, const ReceiverLimits& limits
) {
    std::string bytes;
    if (path == "-") {
        bytes.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream file(path, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(file), {});
        if (!file) return fail(ErrorCode::io, "cannot be read");
    }
    return find_bodies(bytes, signal, limits);
}

}  // namespace spangate
