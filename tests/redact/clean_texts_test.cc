#include "redact/clean_texts.h"

#include <string>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

using Key = CleanTexts::Key;

std::string text_of(std::size_t size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i)
        text += static_cast<char>('a' + i % 26);
    return text;
}

TEST_CASE("a text that was told is known, and none that differs in one byte or in length") {
    for (std::size_t size = 0; size <= CleanTexts::text_bytes_max; ++size) {
        CleanTexts texts;
        const std::string text = text_of(size);
        texts.add(Key(text));
        CHECK(texts.has(Key(text_of(size))));
        for (std::size_t i = 0; i < size; ++i) {
            std::string other = text;
            other[i] = '@';
            CHECK_FALSE(texts.has(Key(other)));
            CHECK_FALSE(Key(other) == Key(text));
        }
        if (size < CleanTexts::text_bytes_max) CHECK_FALSE(texts.has(Key(text + '\0')));
    }
}

TEST_CASE("what stands where a known text stood is not known") {
    CleanTexts texts;
    std::string buffer = "researcher";
    texts.add(Key(buffer));
    buffer = "a@b.example";
    CHECK_FALSE(texts.has(Key(buffer)));
    buffer = "researcher";
    CHECK(texts.has(Key(buffer)));
}

TEST_CASE("texts are forgotten with their batch") {
    CleanTexts texts;
    texts.add(Key("researcher"));
    texts.forget();
    CHECK_FALSE(texts.has(Key("researcher")));
}

TEST_CASE("a text takes the place of another one, and neither is taken for the other") {
    CleanTexts texts;
    for (int i = 0; i < 5'000; ++i) {
        const std::string text = "agent-" + std::to_string(i);
        CHECK_FALSE(texts.has(Key(text)));
        texts.add(Key(text));
        CHECK(texts.has(Key(text)));
    }
}

}  // namespace
}  // namespace spangate
