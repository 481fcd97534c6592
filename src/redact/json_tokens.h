// A pull tokenizer for JSON (RFC 8259) inside strings: it tells where keys, strings and numbers
// stand, so that their contents can be replaced and the rest copied byte for byte. Any depth in one
// bit a level; documents may follow each other (NDJSON). Text that was cut off ends in `cut`, with
// an unfinished string told as a string.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spangate {

enum class JsonTokenKind : std::uint8_t {
    object_begin,
    object_end,
    array_begin,
    array_end,
    key,
    string,
    number,
    literal,
    end,    // of well-formed text
    cut,    // the text ends inside a document
    wrong,  // no JSON from here on
};

struct JsonToken {
    JsonTokenKind kind = JsonTokenKind::end;
    std::size_t begin = 0;  // strings and keys: without their quotes
    std::size_t end = 0;
    bool has_escape = false;  // of strings and keys
};

class JsonTokens {
  public:
    // Starts over with `text`, which must outlive the tokens.
    void start(std::string_view text);

    [[nodiscard]] JsonToken next();

    // How many objects and arrays are open.
    [[nodiscard]] std::size_t depth() const { return depth_; }

  private:
    enum class Expect : std::uint8_t {
        value,
        value_or_end,
        key,
        key_or_end,
        comma_or_end,
        nothing
    };

    [[nodiscard]] JsonToken open(char bracket);
    [[nodiscard]] JsonToken close(char bracket);
    [[nodiscard]] JsonToken value(char first);
    [[nodiscard]] JsonToken string_token(JsonTokenKind kind);
    [[nodiscard]] JsonToken number_token();
    [[nodiscard]] JsonToken literal_token();
    [[nodiscard]] JsonToken at(JsonTokenKind kind, std::size_t end);
    [[nodiscard]] bool in_object() const;
    void skip_blanks();

    void after_value() { expect_ = depth_ == 0 ? Expect::value : Expect::comma_or_end; }

    std::string_view text_;
    std::size_t at_ = 0;
    Expect expect_ = Expect::value;
    std::size_t depth_ = 0;
    std::vector<std::uint64_t> is_object_;  // one bit a level
};

// Whether the number of quotes in `text` is odd.
[[nodiscard]] bool has_odd_quotes(std::string_view text);

// Appends the text that the inside of a JSON string stands for. Wrong escapes stay as they are;
// lone surrogates become U+FFFD.
void append_json_unescaped(std::string_view inside, std::string& out);

// Appends `text` as the inside of a JSON string; ill-formed UTF-8 becomes U+FFFD.
void append_json_escaped(std::string_view text, std::string& out);

}  // namespace spangate
