// Taking content apart: values by path, and texts without their ids and times.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "base/text.h"
#include "replay/diff_noise.h"

namespace spangate {
namespace {

namespace dom = simdjson::dom;

constexpr int depth_max = 64;  // below, content is one value
constexpr std::size_t random_id_bytes_min = 16;

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_letter(char c) {
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

// What an id is made of; a word ends elsewhere.
bool is_word(char c) {
    return is_digit(c) || is_letter(c) || c == '-' || c == '_';
}

bool looks_like(std::string_view text, std::string_view form) {
    if (text.size() < form.size()) return false;
    for (std::size_t i = 0; i < form.size(); ++i) {
        const char want = form[i];
        if (want == '0'   ? !is_digit(text[i])
            : want == 'T' ? text[i] != 'T' && text[i] != ' '
                          : text[i] != want) {
            return false;
        }
    }
    return true;
}

// Bytes of the time at the beginning of `text`, 0 when there is none: 2026-09-21T10:15:00.123Z.
std::size_t time_bytes(std::string_view text) {
    constexpr std::string_view form = "0000-00-00T00:00";
    if (!looks_like(text, form)) return 0;
    std::size_t at = form.size();
    if (looks_like(text.substr(at), ":00")) at += 3;
    if (at < text.size() && text[at] == '.') {
        ++at;
        while (at < text.size() && is_digit(text[at]))
            ++at;
    }
    if (at < text.size() && text[at] == 'Z') return at + 1;
    if (looks_like(text.substr(at), "+00:00") || looks_like(text.substr(at), "-00:00")) at += 6;
    return at;
}

bool is_uuid(std::string_view word) {
    if (word.size() != 36) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? word[i] != '-' : !is_hex(word[i])) return false;
    }
    return true;
}

// Long, with letters and digits mixed: nobody chose it for its meaning.
bool is_random_id(std::string_view word) {
    if (word.size() < random_id_bytes_min) return false;
    const auto digits = std::count_if(word.begin(), word.end(), is_digit);
    const auto letters = std::count_if(word.begin(), word.end(), is_letter);
    return digits >= 4 && letters >= 2;
}

class Flattener {
  public:
    Flattener(dom::parser& inner, std::vector<ContentValue>& values)
        : inner_(inner),
          values_(values) {}

    void add(const std::string& path, dom::element element, int depth, bool is_unwrapped) {
        switch (element.type()) {
            case dom::element_type::OBJECT:
                return add_object(path, element.get_object().value_unsafe(), depth, is_unwrapped);
            case dom::element_type::ARRAY:
                return add_array(path, element.get_array().value_unsafe(), depth, is_unwrapped);
            case dom::element_type::STRING:
                return add_string(path, element.get_string().value_unsafe(), depth, is_unwrapped);
            case dom::element_type::INT64:
                return put(path, fmt::format("{}", element.get_int64().value_unsafe()));
            case dom::element_type::UINT64:
                return put(path, fmt::format("{}", element.get_uint64().value_unsafe()));
            case dom::element_type::DOUBLE:
                return put(path, fmt::format("{}", element.get_double().value_unsafe()));
            case dom::element_type::BOOL:
                return put(path, element.get_bool().value_unsafe() ? "true" : "false");
            case dom::element_type::NULL_VALUE:
                return put(path, "null");
        }
    }

  private:
    void put(const std::string& path, std::string text) {
        // 1.0 and 1 are one number.
        values_.push_back({path, std::move(text)});
    }

    void add_object(const std::string& path, dom::object object, int depth, bool is_unwrapped) {
        if (depth == depth_max || object.begin() == object.end()) return put(path, "{}");
        for (const auto& [key, value] : object) {
            add(path.empty() ? std::string(key) : path + "." + std::string(key),
                value,
                depth + 1,
                is_unwrapped);
        }
    }

    void add_array(const std::string& path, dom::array array, int depth, bool is_unwrapped) {
        if (depth == depth_max || array.begin() == array.end()) return put(path, "[]");
        std::size_t index = 0;
        for (const dom::element value : array)
            add(fmt::format("{}[{}]", path, index++), value, depth + 1, is_unwrapped);
    }

    void add_string(const std::string& path, std::string_view text, int depth, bool is_unwrapped) {
        const bool may_be_json = !is_unwrapped && (text.starts_with('{') || text.starts_with('['));
        dom::element unwrapped;
        if (may_be_json &&
            inner_.parse(text.data(), text.size()).get(unwrapped) == simdjson::SUCCESS) {
            return add(path, unwrapped, depth + 1, true);
        }
        put(path, std::string(text));
    }

    dom::parser& inner_;
    std::vector<ContentValue>& values_;
};

}  // namespace

struct ContentReader::Parsers {
    dom::parser outer;
    dom::parser inner;
};

ContentReader::ContentReader() : parsers_(std::make_unique<Parsers>()) {}

ContentReader::~ContentReader() = default;

const std::vector<ContentValue>& ContentReader::values_of(std::string_view content) {
    values_.clear();
    if (content.empty()) return values_;
    dom::element root;
    if (parsers_->outer.parse(content.data(), content.size()).get(root) != simdjson::SUCCESS) {
        values_.push_back({"", std::string(content)});
        return values_;
    }
    Flattener(parsers_->inner, values_).add("", root, 0, false);
    std::stable_sort(
        values_.begin(),
        values_.end(),
        [](const ContentValue& a, const ContentValue& b) { return a.path < b.path; }
    );
    return values_;
}

BareText bare_text_of(std::string_view text) {
    BareText bare;
    std::size_t at = 0;
    while (at < text.size()) {
        const bool begins_word = is_word(text[at]) && (at == 0 || !is_word(text[at - 1]));
        if (!begins_word) {
            bare.text += text[at++];
            continue;
        }
        if (const std::size_t bytes = time_bytes(text.substr(at)); bytes > 0) {
            bare.times.emplace_back(text.substr(at, bytes));
            bare.text += '\x02';
            at += bytes;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_word(text[end]))
            ++end;
        const std::string_view word = text.substr(at, end - at);
        // «k1:<digest>» stands for a content: another digest is another content.
        const bool is_digest = at > 0 && text[at - 1] == ':' && word.size() == 32;
        if (!is_digest && (is_uuid(word) || is_random_id(word))) {
            bare.ids.emplace_back(word);
            bare.text += '\x01';
        } else {
            bare.text += word;
        }
        at = end;
    }
    return bare;
}

}  // namespace spangate
