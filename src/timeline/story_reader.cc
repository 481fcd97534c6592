#include "timeline/story_reader.h"

#include <algorithm>
#include <bit>
#include <string>
#include <string_view>

#include <xxhash.h>

#include <protozero/pbf_reader.hpp>
#include <simdjson.h>

#include "timeline/story_fields.h"

namespace spangate {
namespace {

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    std::uint64_t x = (a + golden) ^ (b * 0xff51afd7ed558ccd);
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93;
    x ^= x >> 32;
    return x;
}

std::uint64_t hash_of(std::string_view bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

// The same for equal values, whatever the order of an object's keys. As deep as the parser reads.
std::uint64_t hash_of(const simdjson::dom::element& value) {
    using simdjson::dom::element_type;
    switch (value.type()) {
        case element_type::ARRAY: {
            std::uint64_t sum = 1;
            for (const simdjson::dom::element item : simdjson::dom::array(value))
                sum = mix(sum, hash_of(item));
            return sum;
        }
        case element_type::OBJECT: {
            std::uint64_t sum = 2;
            for (const auto [key, item] : simdjson::dom::object(value))
                sum += mix(hash_of(key), hash_of(item));
            return sum;
        }
        case element_type::INT64:
            return mix(3, static_cast<std::uint64_t>(std::int64_t(value)));
        case element_type::UINT64:
            return mix(3, std::uint64_t(value));
        case element_type::DOUBLE:
            return mix(4, std::bit_cast<std::uint64_t>(double(value)));
        case element_type::STRING:
            return mix(5, hash_of(std::string_view(value)));
        case element_type::BOOL:
            return bool(value) ? 6 : 7;
        case element_type::NULL_VALUE:
            return 8;
    }
    return 0;
}

// The same JSON with null for integers that no 64 bits hold: the parser would refuse all of it.
std::string without_big_integers(std::string_view json) {
    constexpr std::size_t digits_max = 18;
    std::string out;
    bool is_text = false;
    for (std::size_t i = 0; i < json.size();) {
        const bool is_digit = json[i] >= '0' && json[i] <= '9';
        if (is_text || !is_digit) {
            const bool is_escape = is_text && json[i] == '\\' && i + 1 < json.size();
            if (json[i] == '"') is_text = !is_text;
            out += json[i++];
            if (is_escape) out += json[i++];
            continue;
        }
        const std::size_t end = std::min(json.find_first_not_of("0123456789.eE+-", i), json.size());
        const std::string_view number = json.substr(i, end - i);
        const bool is_big =
            number.size() > digits_max && number.find_first_of(".eE") == std::string_view::npos;
        if (is_big && out.ends_with('-')) out.pop_back();
        out += is_big ? "null" : number;
        i = end;
    }
    return out;
}

bool is_event(const StoryEvent& event) {
    return !is_zero(event.id) && event.tenant_id != no_text && event.session_id != no_text;
}

// What the marks are made of, field by field.
class MarkMaker {
  public:
    void start(const StoredEvent& stored) {
        marks = RecordMarks{};
        marks.is_json = stored.is_json;
        class_ = stored.event_class;
    }

    void add(const StoryField* field, std::uint64_t name, std::uint64_t value) {
        const std::uint64_t mark = mix(name, value);
        if (class_ == EventClass::evidence && field != nullptr && field->name == "commitment") {
            marks.telling += mark;
        }
        if (field != nullptr && field->part == StoryPart::telling) return;
        if (field != nullptr && field->part == StoryPart::shared) marks.shared += mark;
        marks.whole += mark;
    }

    RecordMarks marks;

  private:
    EventClass class_ = EventClass::operational;
};

}  // namespace

struct StoryReader::State {
    simdjson::dom::parser parser;
    std::string joined;
    std::string repaired;
    MarkMaker maker;

    [[nodiscard]] bool read_json(std::string_view value, TextPool& texts, StoryEvent& event);
    [[nodiscard]] bool read_protobuf(std::string_view value, TextPool& texts, StoryEvent& event);
    void take(
        const StoryField& field,
        const simdjson::dom::element& value,
        TextPool& texts,
        StoryEvent& event
    );
    void take(
        const StoryField& field, protozero::pbf_reader& reader, TextPool& texts, StoryEvent& event
    );
    void take_list(const StoryField& field, const simdjson::dom::array& list, StoryEvent& event);
};

bool StoryReader::State::read_json(std::string_view value, TextPool& texts, StoryEvent& event) {
    simdjson::dom::object object;
    simdjson::error_code error = parser.parse(value.data(), value.size()).get(object);
    if (error == simdjson::NUMBER_ERROR) {
        repaired = without_big_integers(value);
        error = parser.parse(repaired).get(object);
    }
    if (error != simdjson::SUCCESS) return false;
    for (const auto [name, item] : object) {
        const StoryField* field = find_story_field(name);
        const bool is_compared =
            field == nullptr || field->part != StoryPart::telling || field->number == 254;
        if (is_compared) {
            maker.add(field, field != nullptr ? field->number : hash_of(name), hash_of(item));
        }
        if (field != nullptr) {
            take(*field, item, texts, event);
        } else if (name == "chunk") {
            maker.marks.telling += mix(hash_of(name), hash_of(item));
        }
    }
    return true;
}

void StoryReader::State::take(
    const StoryField& field, const simdjson::dom::element& value, TextPool& texts, StoryEvent& event
) {
    using simdjson::dom::element_type;
    switch (value.type()) {
        case element_type::STRING:
            set_text(field, std::string_view(value), texts, event);
            return;
        case element_type::INT64:
            set_integer(field, std::int64_t(value), event);
            return;
        case element_type::DOUBLE:
            set_real(field, double(value), event);
            return;
        case element_type::BOOL:
            set_flag(field, bool(value), event);
            return;
        case element_type::ARRAY:
            take_list(field, simdjson::dom::array(value), event);
            return;
        default:
            return;
    }
}

void StoryReader::State::take_list(
    const StoryField& field, const simdjson::dom::array& list, StoryEvent& event
) {
    if (field.form != StoryForm::texts && field.form != StoryForm::classes) return;
    for (const simdjson::dom::element item : list) {
        if (item.is_string()) add_item(field, std::string_view(item), joined, event);
    }
}

bool StoryReader::State::read_protobuf(std::string_view value, TextPool& texts, StoryEvent& event) {
    constexpr std::uint32_t chunk_number = 251;
    try {
        protozero::pbf_reader reader(value.data(), value.size());
        const char* begin = value.data();
        while (reader.next()) {
            const std::uint32_t number = reader.tag();
            const StoryField* field = find_story_field(number);
            if (field == nullptr || field->form == StoryForm::none) {
                reader.skip();
            } else {
                take(*field, reader, texts, event);
            }
            const char* end = reader.data().data();
            const std::string_view bytes(begin, static_cast<std::size_t>(end - begin));
            begin = end;
            maker.add(field, number, hash_of(bytes));
            if (number == chunk_number) maker.marks.telling += hash_of(bytes);
        }
    } catch (const protozero::exception&) {
        return false;
    }
    return true;
}

void StoryReader::State::take(
    const StoryField& field, protozero::pbf_reader& reader, TextPool& texts, StoryEvent& event
) {
    switch (reader.wire_type()) {
        case protozero::pbf_wire_type::length_delimited: {
            const protozero::data_view view = reader.get_view();
            const std::string_view text(view.data(), view.size());
            set_text(field, text, texts, event);
            add_item(field, text, joined, event);
            return;
        }
        case protozero::pbf_wire_type::varint: {
            const std::int64_t integer = reader.get_int64();
            if (field.form == StoryForm::flag) {
                set_flag(field, integer != 0, event);
            } else if (field.form == StoryForm::count) {
                set_integer(field, integer, event);
            }
            return;
        }
        case protozero::pbf_wire_type::fixed64: {
            const std::uint64_t bits = reader.get_fixed64();
            if (field.form == StoryForm::real) {
                set_real(field, std::bit_cast<double>(bits), event);
            } else if (field.form == StoryForm::number) {
                set_integer(field, static_cast<std::int64_t>(bits), event);
            }
            return;
        }
        default:
            reader.skip();
    }
}

StoryReader::StoryReader() : state_(std::make_unique<State>()) {}

StoryReader::~StoryReader() = default;

const RecordMarks& StoryReader::marks() const {
    return state_->maker.marks;
}

bool StoryReader::read(const StoredEvent& stored, TextPool& texts, StoryEvent& event) {
    event = StoryEvent{};
    event.seen = bit(stored.event_class);
    event.offset = stored.offset;
    event.partition = stored.partition;
    state_->joined.clear();
    state_->maker.start(stored);
    const bool is_read = stored.is_json ? state_->read_json(stored.value, texts, event)
                                        : state_->read_protobuf(stored.value, texts, event);
    if (!is_read || !is_event(event)) return false;
    if (!state_->joined.empty()) event.decision_options = texts.intern(state_->joined);
    if (event.received_at == 0) event.received_at = stored.received_at;
    if (event.timestamp == 0) event.timestamp = event.received_at;
    return true;
}

}  // namespace spangate
