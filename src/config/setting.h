// The one description of every setting: its place in the file, where its value lives, what it does
// and what it may be. Reading, printing, the commented reference and the JSON Schema all walk this
// description, so none of them can know a key that another one does not.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.h"

namespace spangate {

struct Setting;

// Each shape below borrows its value from the struct that was described.
struct Flag {
    bool* value;
};

struct Count {
    std::uint32_t* value;
    std::uint32_t least;
    std::uint32_t most;
};

struct Real {
    double* value;
    double least;
    double most;
};

struct Size {
    Bytes* value;
    Bytes least;
    Bytes most;
};

struct Duration {
    Millis* value;
    Millis least;
    Millis most;
};

struct Text {
    std::string* value;
    std::vector<std::string_view> allowed;  // empty: any text
};

struct SecretText {
    Secret* value;
};

// A scalar in place of the list is split at commas, so that one variable can fill a list.
struct TextList {
    std::vector<std::string>* value;
    std::vector<std::string_view> allowed;  // empty: any text
};

struct TextMap {
    std::map<std::string, std::string>* value;
};

struct PatternList {
    std::vector<RedactPattern>* value;
};

struct Group {
    std::vector<Setting> settings;
};

struct Setting {
    std::string_view key;
    std::string_view doc;  // one sentence or two, without line ends
    std::variant<
        Flag,
        Count,
        Real,
        Size,
        Duration,
        Text,
        SecretText,
        TextList,
        TextMap,
        PatternList,
        Group>
        shape;
};

// Both live as long as what they describe; keys and docs live for ever.
[[nodiscard]] Group describe(Config& config);
[[nodiscard]] Group describe(RedactPattern& pattern);

// One overload per shape makes a visitor; a new shape breaks each visitor's build.
template <typename... Overloads>
struct PerShape : Overloads... {
    using Overloads::operator()...;
};

template <typename... Overloads>
PerShape(Overloads...) -> PerShape<Overloads...>;

// True for the name of a free key (of a map setting) whose value is masked in print.
[[nodiscard]] bool names_a_secret(std::string_view key);

}  // namespace spangate
