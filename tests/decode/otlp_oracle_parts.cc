#include "otlp_oracle_parts.h"

#include <cmath>

#include <rapidcheck.h>

#include "base/text.h"

namespace spangate::testing {
namespace {

std::string json_of_real(double real) {
    if (std::isnan(real)) return "\"NaN\"";
    if (std::isinf(real)) return real > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    return fmt::format("{}", real);
}

}  // namespace

int pick(int from, int below) {
    return *rc::gen::inRange(from, below);
}

std::string some_text() {
    static const std::vector<std::string> pieces = {
        "gen_ai.request.model", "", "a", "\"quoted\"", "line\nbreak\t", "\\", "ü€😀", "/", "\x01"};
    std::string text;
    for (int i = pick(0, 4); i > 0; --i)
        text += pieces[static_cast<std::size_t>(pick(0, static_cast<int>(pieces.size())))];
    return text;
}

std::string some_id(std::size_t size) {
    std::string id(size, '\0');
    for (char& byte : id)
        byte = static_cast<char>(pick(1, 256));
    return id;
}

std::uint64_t some_number() {
    return *rc::gen::arbitrary<std::uint64_t>();
}

void fill_value(common::AnyValue& value, int depth) {
    switch (pick(0, depth > 0 ? 8 : 6)) {
        case 0:
            value.set_string_value(some_text());
            break;
        case 1:
            value.set_bool_value(pick(0, 2) == 1);
            break;
        case 2:
            value.set_int_value(static_cast<std::int64_t>(some_number()));
            break;
        case 3:
            value.set_double_value(*rc::gen::arbitrary<double>());
            break;
        case 4:
            value.set_bytes_value(some_id(static_cast<std::size_t>(pick(0, 5))));
            break;
        case 6: {
            auto* array = value.mutable_array_value();
            for (int i = pick(0, 4); i > 0; --i)
                fill_value(*array->add_values(), depth - 1);
            break;
        }
        case 7:
            fill_attributes(*value.mutable_kvlist_value()->mutable_values(), depth - 1);
            break;
        default:
            break;
    }
}

void fill_attributes(OtlpAttributes& attributes, int depth) {
    for (int i = pick(0, 4); i > 0; --i) {
        common::KeyValue* attribute = attributes.Add();
        attribute->set_key(some_text());
        fill_value(*attribute->mutable_value(), depth);
    }
}

void fill_resource(opentelemetry::proto::resource::v1::Resource& resource) {
    fill_attributes(*resource.mutable_attributes(), 2);
    resource.set_dropped_attributes_count(static_cast<std::uint32_t>(pick(0, 3)));
}

void fill_scope(common::InstrumentationScope& scope) {
    scope.set_name(some_text());
    scope.set_version(some_text());
    fill_attributes(*scope.mutable_attributes(), 1);
}

void put_attributes(OtlpAttributes& out, std::span<const Attribute> attributes) {
    for (const Attribute& attribute : attributes) {
        common::KeyValue* pair = out.Add();
        pair->set_key(std::string(attribute.key));
        put_value(*pair->mutable_value(), attribute.value);
    }
}

void put_value(common::AnyValue& out, const Value& value) {
    switch (value.kind) {
        case ValueKind::empty:
            break;
        case ValueKind::string:
            out.set_string_value(std::string(value.text()));
            break;
        case ValueKind::boolean:
            out.set_bool_value(value.boolean);
            break;
        case ValueKind::integer:
            out.set_int_value(value.integer);
            break;
        case ValueKind::real:
            out.set_double_value(value.real);
            break;
        case ValueKind::bytes:
            out.set_bytes_value(std::string(value.text()));
            break;
        case ValueKind::array:
            out.mutable_array_value();
            for (const Value& item : value.array())
                put_value(*out.mutable_array_value()->add_values(), item);
            break;
        case ValueKind::kvlist:
            put_attributes(*out.mutable_kvlist_value()->mutable_values(), value.kvlist());
            break;
    }
}

void put_resource(opentelemetry::proto::resource::v1::Resource& out, const ResourceView& resource) {
    put_attributes(*out.mutable_attributes(), resource.attributes);
    out.set_dropped_attributes_count(resource.dropped_attributes);
}

void put_scope(common::InstrumentationScope& out, const ScopeView& scope) {
    out.set_name(std::string(scope.name));
    out.set_version(std::string(scope.version));
    put_attributes(*out.mutable_attributes(), scope.attributes);
    out.set_dropped_attributes_count(scope.dropped_attributes);
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out += {'\\', c};
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", c);
        } else {
            out += c;
        }
    }
    return out + '"';
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char byte : bytes)
        out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    return quoted(out);
}

std::string json_of(const OtlpAttributes& attributes) {
    return list(attributes, [](const common::KeyValue& attribute) {
        return fmt::format(
            R"({{"key":{},"value":{}}})", quoted(attribute.key()), json_of(attribute.value())
        );
    });
}

std::string json_of(const common::AnyValue& value) {
    switch (value.value_case()) {
        case common::AnyValue::kStringValue:
            return fmt::format(R"({{"stringValue":{}}})", quoted(value.string_value()));
        case common::AnyValue::kBoolValue:
            return fmt::format(R"({{"boolValue":{}}})", value.bool_value());
        case common::AnyValue::kIntValue:
            return fmt::format(R"({{"intValue":"{}"}})", value.int_value());
        case common::AnyValue::kDoubleValue:
            return fmt::format(R"({{"doubleValue":{}}})", json_of_real(value.double_value()));
        case common::AnyValue::kBytesValue:
            return fmt::format(R"({{"bytesValue":"{}"}})", to_base64(value.bytes_value()));
        case common::AnyValue::kArrayValue:
            return fmt::format(
                R"({{"arrayValue":{{"values":{}}}}})",
                list(
                    value.array_value().values(),
                    [](const common::AnyValue& item) { return json_of(item); }
                )
            );
        case common::AnyValue::kKvlistValue:
            return fmt::format(
                R"({{"kvlistValue":{{"values":{}}}}})", json_of(value.kvlist_value().values())
            );
        case common::AnyValue::VALUE_NOT_SET:
            return "{}";
    }
    return {};
}

std::string json_of(const opentelemetry::proto::resource::v1::Resource& resource) {
    return fmt::format(
        R"({{"attributes":{},"droppedAttributesCount":{}}})",
        json_of(resource.attributes()),
        resource.dropped_attributes_count()
    );
}

std::string json_of(const common::InstrumentationScope& scope) {
    return fmt::format(
        R"({{"name":{},"version":{},"attributes":{}}})",
        quoted(scope.name()),
        quoted(scope.version()),
        json_of(scope.attributes())
    );
}

RawRequest raw_request(std::string_view body, BodyEncoding encoding, Signal signal) {
    RawRequest request;
    request.signal = signal;
    request.encoding = encoding;
    request.body.reserve(body.size() + 1);
    request.body.append(body);
    return request;
}

}  // namespace spangate::testing
