#include "app/sample_file.h"

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "app/json_node.h"

namespace spangate {
namespace {

class SampleReader {
  public:
    explicit SampleReader(std::string_view name) : name_(name) {}

    void read(const YamlNode& node) {
        RedactSample sample;
        sample.line = node.place.line;
        if (!node.is_map()) return complain(node, "a sample is a map with text and expect");
        check_keys(node, {"text", "expect", "key", "name"});
        const YamlNode* const text = node.find("text");
        const YamlNode* const expect = node.find("expect");
        if (text == nullptr || !text->is_scalar()) return complain(node, "text is missing");
        if (expect == nullptr) return complain(node, "expect is missing: clean, or a list");
        sample.text = text->scalar;
        if (const YamlNode* const key = node.find("key")) sample.key = key->scalar;
        if (const YamlNode* const name = node.find("name")) sample.name = name->scalar;
        read_expected(*expect, sample);
        samples_.push_back(std::move(sample));
    }

    void complain(const YamlNode& node, std::string_view what) {
        if (!faults_.empty()) faults_ += '\n';
        faults_ += std::string(name_) + ":" + std::to_string(node.place.line) + ":" +
                   std::to_string(node.place.column) + ": " + std::string(what);
    }

    void complain(const Error& error) {
        if (!faults_.empty()) faults_ += '\n';
        faults_ += error.message;
    }

    [[nodiscard]] Result<std::vector<RedactSample>> finish() {
        if (!faults_.empty()) return fail(ErrorCode::invalid_argument, faults_);
        return std::move(samples_);
    }

  private:
    void check_keys(const YamlNode& node, std::initializer_list<std::string_view> known) {
        for (const auto& [key, value] : node.entries) {
            bool is_known = false;
            for (const std::string_view one : known)
                is_known = is_known || key.scalar == one;
            if (!is_known) complain(key, "unknown key '" + key.scalar + "'");
        }
    }

    void read_expected(const YamlNode& expect, RedactSample& sample) {
        if (expect.is_scalar() && expect.scalar == "clean") return;
        if (expect.is_scalar()) return read_expected_one(expect, sample);
        if (!expect.is_sequence()) return complain(expect, "expect is clean, or a list of kinds");
        for (const YamlNode& item : expect.items)
            read_expected_one(item, sample);
    }

    void read_expected_one(const YamlNode& node, RedactSample& sample) {
        ExpectedHit hit;
        hit.place = node.place;
        if (node.is_scalar()) {
            hit.kind = node.scalar;
            sample.expected.push_back(std::move(hit));
            return;
        }
        if (!node.is_map()) return complain(node, "an expected hit is a kind, or a map with kind");
        check_keys(node, {"kind", "value", "begin", "end"});
        const YamlNode* const kind = node.find("kind");
        if (kind == nullptr || !kind->is_scalar()) return complain(node, "kind is missing");
        hit.kind = kind->scalar;
        if (!read_span(node, sample.text, hit)) return;
        sample.expected.push_back(std::move(hit));
    }

    bool read_span(const YamlNode& node, const std::string& text, ExpectedHit& hit) {
        const YamlNode* const value = node.find("value");
        const YamlNode* const begin = node.find("begin");
        const YamlNode* const end = node.find("end");
        if (value != nullptr) {
            const std::size_t at =
                value->scalar.empty() ? std::string::npos : text.find(value->scalar);
            if (at == std::string::npos) {
                complain(*value, "the text does not hold this value");
                return false;
            }
            hit.has_span = true;
            hit.begin = at;
            hit.end = at + value->scalar.size();
            return true;
        }
        if (begin == nullptr && end == nullptr) return true;
        const std::optional<std::size_t> first = number(begin);
        const std::optional<std::size_t> last = number(end);
        if (!first || !last || *first >= *last || *last > text.size()) {
            complain(node, "begin and end are bytes of the text, begin before end");
            return false;
        }
        hit.has_span = true;
        hit.begin = *first;
        hit.end = *last;
        return true;
    }

    [[nodiscard]] static std::optional<std::size_t> number(const YamlNode* node) {
        if (node == nullptr || !node->is_scalar() || node->scalar.empty()) return std::nullopt;
        std::size_t value = 0;
        const char* const end = node->scalar.data() + node->scalar.size();
        const auto read = std::from_chars(node->scalar.data(), end, value);
        if (read.ec != std::errc() || read.ptr != end) return std::nullopt;
        return value;
    }

    std::string_view name_;
    std::vector<RedactSample> samples_;
    std::string faults_;
};

// JSONL when the first character that says something opens an object.
bool is_jsonl(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '{';
}

void read_lines(std::string_view text, std::string_view name, SampleReader& reader) {
    std::uint32_t line = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++line;
        if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
        const Result<YamlNode> node = parse_json_line(one, name, line);
        if (node) {
            reader.read(*node);
        } else {
            reader.complain(node.error());
        }
    }
}

}  // namespace

Result<std::vector<RedactSample>> parse_redact_samples(
    std::string_view text, std::string_view name
) {
    SampleReader reader(name);
    if (is_jsonl(text)) {
        read_lines(text, name, reader);
        return reader.finish();
    }
    const Result<YamlNode> root = parse_yaml(text, name);
    if (!root) return tl::unexpected(root.error());
    const YamlNode* list = root->is_map() ? root->find("samples") : &*root;
    if (list == nullptr || !list->is_sequence()) {
        reader.complain(*root, "a list of samples, or a map with samples");
        return reader.finish();
    }
    for (const YamlNode& node : list->items)
        reader.read(node);
    return reader.finish();
}

Result<std::vector<RedactSample>> read_redact_samples(const std::string& path) {
    std::error_code ignored;
    std::ifstream file(path, std::ios::binary);
    std::string text(std::istreambuf_iterator<char>(file), {});
    if (!file || std::filesystem::is_directory(path, ignored)) {
        return fail(ErrorCode::io, path + ": cannot be read");
    }
    return parse_redact_samples(text, path);
}

}  // namespace spangate
