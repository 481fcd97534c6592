// What the value of a record tells about it for its dead letter (dead_letter.h): its header, and
// how many bytes each of its keys takes. Keys as they stand in the value, which was released; no
// content.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace spangate {

struct KeySize {
    std::string name;       // as escaped in JSON, at most `key_name_bytes_max` long
    std::size_t bytes = 0;  // of the value, as encoded
};

struct LostFacts {
    std::string header;  // members of a JSON object, without its braces
    std::vector<KeySize> key_sizes;
};

// Longer names are cut: a letter must not grow with what made its record too large.
inline constexpr std::size_t key_name_bytes_max = 256;

// By the value itself: the spool may hand out what was written under another `encoding`. Empty for
// what is not an event.
[[nodiscard]] LostFacts lost_facts(std::string_view value);

// lost_facts_json.cc, lost_facts_protobuf.cc: each for its encoding, keys still in full.
[[nodiscard]] LostFacts lost_facts_json(std::string_view value);
[[nodiscard]] LostFacts lost_facts_protobuf(std::string_view value);

// Contract §3.
[[nodiscard]] bool is_header_key(std::string_view key);

// Whether an object of detail has members worth naming one by one.
[[nodiscard]] bool is_opened_key(std::string_view key);

}  // namespace spangate
