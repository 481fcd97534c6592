#include "timeline/detail_store.h"

#include <catch2/catch.hpp>

#include "timeline/text_pool.h"

namespace spangate {

TEST_CASE("A detail store gives back every record, in any order") {
    DetailStore store;
    std::vector<std::string> records;
    for (int i = 0; i < 3'000; ++i)
        records.push_back(
            R"({"n":)" + std::to_string(i) + R"(,"a":")" + std::string(300, 'x') + "\"}"
        );
    records.emplace_back(1'000'000, 'y');  // more than a block
    records.emplace_back();
    std::vector<DetailNo> numbers;
    for (const std::string& record : records)
        numbers.push_back(store.add(record));
    for (std::size_t i = records.size(); i-- > 0;)
        CHECK(store.read(numbers[i]) == records[i]);
    CHECK(store.bytes() < 2'000'000);
}

TEST_CASE("A text pool keeps a string once, and the empty one first") {
    TextPool texts;
    const TextId planner = texts.intern("planner");
    CHECK(texts.intern(std::string("plan") + "ner") == planner);
    CHECK(texts.intern("") == no_text);
    CHECK(texts[planner] == "planner");
    CHECK(texts[no_text].empty());
    CHECK(texts.bytes() == 7);
    texts.clear();
    CHECK(texts.intern("other") == planner);
}

}  // namespace spangate
