// Walks the members of a JSON object that this program wrote itself: well-formed, so there is
// nothing to report. What is not an object has no members. Views into the text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace spangate {

class JsonMembers {
  public:
    explicit JsonMembers(std::string_view object) : text_(object) {
        skip_blanks();
        if (at_ < text_.size() && text_[at_] == '{') ++at_;
    }

    // False at the end.
    [[nodiscard]] bool next() {
        skip_blanks();
        if (at_ < text_.size() && text_[at_] == ',') ++at_;
        skip_blanks();
        if (at_ >= text_.size() || text_[at_] != '"') return false;
        const std::size_t key_from = at_ + 1;
        skip_string();
        key_ = text_.substr(key_from, at_ - key_from - 1);
        skip_blanks();
        if (at_ < text_.size()) ++at_;  // the colon
        skip_blanks();
        const std::size_t from = at_;
        skip_value();
        value_ = text_.substr(from, at_ - from);
        return true;
    }

    [[nodiscard]] std::string_view key() const { return key_; }  // between the quotes, as escaped

    [[nodiscard]] std::string_view value() const { return value_; }  // as written

  private:
    void skip_blanks() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n'))
            ++at_;
    }

    // From the opening quote to behind the closing one.
    void skip_string() {
        ++at_;
        while (at_ < text_.size() && text_[at_] != '"')
            at_ += text_[at_] == '\\' ? 2 : 1;
        at_ = std::min(at_ + 1, text_.size());
    }

    // To the comma or bracket that ends it.
    void skip_value() {
        int depth = 0;
        while (at_ < text_.size()) {
            const char c = text_[at_];
            if (c == '"') {
                skip_string();
                continue;
            }
            if (depth == 0 && (c == ',' || c == '}' || c == ']')) return;
            if (c == '{' || c == '[') ++depth;
            if (c == '}' || c == ']') --depth;
            ++at_;
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::string_view key_;
    std::string_view value_;
};

}  // namespace spangate
