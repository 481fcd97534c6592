#include "base/slab.h"

#include <cstring>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

using spangate::SlabPiece;
using spangate::SlabPool;
using spangate::SlabWriter;

TEST_CASE("a slab goes back when the last piece in it is let go") {
    SlabPool pool(1024);
    std::vector<SlabPiece> pieces;
    {
        SlabWriter writer(pool);
        for (int i = 0; i < 3; ++i)
            pieces.push_back(writer.allocate(100));
        CHECK(pieces[0].slab == pieces[2].slab);
    }
    CHECK(pool.bytes_out() == 1024);
    pieces[0].slab->unref();
    pieces[1].slab->unref();
    CHECK(pool.bytes_out() == 1024);
    pieces[2].slab->unref();
    CHECK(pool.bytes_out() == 0);
}

TEST_CASE("a piece larger than a slab stands alone") {
    SlabPool pool(256);
    SlabWriter writer(pool);
    const SlabPiece large = writer.allocate(10'000);
    std::memset(large.bytes, 1, 10'000);
    const SlabPiece small = writer.allocate(10);
    CHECK(small.slab != large.slab);
    large.slab->unref();
    small.slab->unref();
    writer.finish();
    CHECK(pool.bytes_out() == 0);
}

TEST_CASE("pieces may be let go on other threads") {
    SlabPool pool(4096);
    std::vector<SlabPiece> pieces;
    {
        SlabWriter writer(pool);
        for (int i = 0; i < 10'000; ++i)
            pieces.push_back(writer.allocate(64));
    }
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::size_t i = t; i < pieces.size(); i += 4)
                pieces[i].slab->unref();
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(pool.bytes_out() == 0);
}
