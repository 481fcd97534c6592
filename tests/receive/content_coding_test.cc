#include "receive/content_coding.h"

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>

using namespace spangate;  // NOLINT

namespace {

constexpr int gzip_bits = MAX_WBITS + 16;
constexpr int zlib_bits = MAX_WBITS;
constexpr int bare_bits = -MAX_WBITS;

std::string deflated(std::string_view text, int window_bits) {
    z_stream stream{};
    REQUIRE(
        deflateInit2(
            &stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY
        ) == Z_OK
    );
    std::string out(deflateBound(&stream, text.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // NOLINT
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());  // NOLINT
    stream.avail_out = static_cast<uInt>(out.size());
    REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

std::string zstd(std::string_view text, int window_log = 0) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    if (window_log > 0) ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    std::string out(ZSTD_compressBound(text.size()), '\0');
    // Streamed with an unknown size, as clients do: the frame then names its window.
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    ZSTD_outBuffer target{out.data(), out.size(), 0};
    while (in.pos < in.size)
        ZSTD_compressStream2(context, &target, &in, ZSTD_e_continue);
    REQUIRE(ZSTD_compressStream2(context, &target, &in, ZSTD_e_end) == 0);
    ZSTD_freeCCtx(context);
    out.resize(target.pos);
    return out;
}

struct Form {
    std::string name;
    ContentCoding coding;
    std::string (*compress)(std::string_view);
};

const std::vector<Form>& forms() {
    static const std::vector<Form> all = {
        {"gzip",
         ContentCoding::gzip,
         [](std::string_view text) {
             return deflated(text, gzip_bits);
         }},
        {"zlib",
         ContentCoding::deflate,
         [](std::string_view text) {
             return deflated(text, zlib_bits);
         }},
        {"bare deflate",
         ContentCoding::deflate,
         [](std::string_view text) {
             return deflated(text, bare_bits);
         }},
        {"zstd",
         ContentCoding::zstd,
         [](std::string_view text) {
             return zstd(text);
         }},
    };
    return all;
}

// Compresses to about a third, like telemetry.
std::string telemetry(std::size_t bytes) {
    std::mt19937 random(7);
    std::string text;
    while (text.size() < bytes)
        text += "gen_ai.usage.input_tokens=" + std::to_string(random()) + ";";
    text.resize(bytes);
    return text;
}

Result<Body> inflate_freely(ContentCoding coding, std::string_view wire, Bytes bytes_max = mib) {
    return inflate(coding, wire, bytes_max, [](Bytes) { return Status(); });
}

}  // namespace

TEST_CASE("the names of content codings") {
    CHECK(content_coding_from("") == ContentCoding::identity);
    CHECK(content_coding_from("identity") == ContentCoding::identity);
    CHECK(content_coding_from(" GZip ") == ContentCoding::gzip);
    CHECK(content_coding_from("x-gzip") == ContentCoding::gzip);
    CHECK(content_coding_from("deflate") == ContentCoding::deflate);
    CHECK(content_coding_from("zstd\t") == ContentCoding::zstd);
    CHECK_FALSE(content_coding_from("br"));
    CHECK_FALSE(content_coding_from("gzip, gzip"));
}

TEST_CASE("what was compressed comes back") {
    for (const Form& form : forms()) {
        for (const std::size_t bytes : {0, 1, 100, 16 * 1024, 16 * 1024 + 1, 1'000'000}) {
            INFO(form.name << " " << bytes);
            const std::string text = telemetry(bytes);
            const Result<Body> body = inflate_freely(form.coding, form.compress(text));
            REQUIRE(body);
            CHECK(body->view() == text);
        }
    }
}

TEST_CASE("a body may come in pieces of any size") {
    const std::string text = telemetry(50'000);
    for (const Form& form : forms()) {
        const std::string wire = form.compress(text);
        for (const std::size_t piece_bytes : {1, 7, 4096}) {
            INFO(form.name << " " << piece_bytes);
            std::vector<std::string_view> pieces;
            for (std::size_t at = 0; at < wire.size(); at += piece_bytes)
                pieces.push_back(std::string_view(wire).substr(at, piece_bytes));
            const Result<Body> body =
                inflate(form.coding, pieces, mib, [](Bytes) { return Status(); });
            REQUIRE(body);
            CHECK(body->view() == text);
        }
    }
}

TEST_CASE("nothing on the wire is an empty body") {
    for (const Form& form : forms())
        CHECK(inflate_freely(form.coding, "")->size() == 0);
}

TEST_CASE("identity is copied within the limit") {
    CHECK(inflate_freely(ContentCoding::identity, "abc")->view() == "abc");
    CHECK(inflate_freely(ContentCoding::identity, "abcd", 3).error().code == ErrorCode::too_large);
}

TEST_CASE("a body that is cut short anywhere is invalid, and says so") {
    const std::string text = telemetry(300);
    for (const Form& form : forms()) {
        const std::string wire = form.compress(text);
        for (std::size_t bytes = 1; bytes < wire.size(); ++bytes) {
            INFO(form.name << " cut to " << bytes << " of " << wire.size());
            const Result<Body> body =
                inflate_freely(form.coding, std::string_view(wire).substr(0, bytes));
            REQUIRE_FALSE(body);
            CHECK(body.error().code == ErrorCode::invalid_argument);
            CHECK(body.error().message.find("ends before") != std::string::npos);
        }
    }
}

TEST_CASE("bytes behind the end are invalid") {
    for (const Form& form : forms()) {
        for (const std::string_view garbage : {"garbage", "\x1f garbage", "0000000000"}) {
            INFO(form.name);
            const Result<Body> body =
                inflate_freely(form.coding, form.compress(telemetry(300)).append(garbage));
            REQUIRE_FALSE(body);
            CHECK(body.error().code == ErrorCode::invalid_argument);
        }
    }
}

TEST_CASE("a flipped bit never passes gzip's check") {
    const std::string text = telemetry(300);
    const std::string wire = deflated(text, gzip_bits);
    for (std::size_t bit = 0; bit < wire.size() * 8; ++bit) {
        std::string damaged = wire;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        const Result<Body> body = inflate_freely(ContentCoding::gzip, damaged);
        // Bits of the header (time, operating system) change nothing.
        if (body) CHECK(body->view() == text);
    }
}

TEST_CASE("garbage is invalid") {
    for (const Form& form : forms()) {
        const Result<Body> body = inflate_freely(form.coding, "this is not compressed at all");
        REQUIRE_FALSE(body);
        CHECK(body.error().code == ErrorCode::invalid_argument);
    }
}

TEST_CASE("gzip members and zstd frames follow one another") {
    const std::string first = telemetry(20'000);
    const std::string second = telemetry(300);
    for (const Form& form : {forms()[0], forms()[3]}) {
        const std::string wire = form.compress(first) + form.compress("") + form.compress(second);
        const Result<Body> body = inflate_freely(form.coding, wire);
        REQUIRE(body);
        CHECK(body->view() == first + second);
    }
}

TEST_CASE("the limit is exact") {
    const std::string text = telemetry(100'000);
    for (const Form& form : forms()) {
        INFO(form.name);
        const std::string wire = form.compress(text);
        CHECK(inflate_freely(form.coding, wire, text.size()));
        const Result<Body> body = inflate_freely(form.coding, wire, text.size() - 1);
        REQUIRE_FALSE(body);
        CHECK(body.error().code == ErrorCode::too_large);
    }
}

TEST_CASE("a bomb costs what the ratio allows, not what the limit allows") {
    const std::string text(64 * mib, 'x');
    for (const Form& form : forms()) {
        INFO(form.name);
        const std::string wire = form.compress(text);
        Bytes asked = 0;
        const Result<Body> body = inflate(form.coding, wire, 256 * mib, [&](Bytes bytes) {
            asked = std::max(asked, bytes);
            return Status();
        });
        REQUIRE_FALSE(body);
        CHECK(body.error().code == ErrorCode::too_large);
        CHECK(asked <= std::max(inflate_ratio_free_bytes, wire.size() * inflate_ratio_max));
    }
}

TEST_CASE("small bodies may compress as well as they like") {
    const std::string text(mib, 'x');
    for (const Form& form : forms()) {
        const Result<Body> body = inflate_freely(form.coding, form.compress(text));
        REQUIRE(body);
        CHECK(body->size() == text.size());
    }
}

TEST_CASE("memory is asked for before it is taken, and a no stops the work") {
    const std::string text = telemetry(500'000);
    for (const Form& form : forms()) {
        INFO(form.name);
        const Result<Body> body =
            inflate(form.coding, form.compress(text), mib, [](Bytes bytes) -> Status {
                if (bytes > 400'000) return fail(ErrorCode::unavailable, "full");
                return {};
            });
        REQUIRE_FALSE(body);
        CHECK(body.error().code == ErrorCode::unavailable);
    }
}

TEST_CASE("a zstd window over the limit is refused") {
    const std::string text = telemetry(300'000);
    CHECK(inflate_freely(ContentCoding::zstd, zstd(text, zstd_window_log_max)));
    const Result<Body> body =
        inflate_freely(ContentCoding::zstd, zstd(text, zstd_window_log_max + 1));
    REQUIRE_FALSE(body);
    CHECK(body.error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a damaged body leaves the thread's decoder ready for the next one") {
    for (const Form& form : forms()) {
        const std::string text = telemetry(5'000);
        const std::string wire = form.compress(text);
        CHECK_FALSE(inflate_freely(form.coding, std::string_view(wire).substr(0, wire.size() / 2)));
        CHECK_FALSE(inflate_freely(form.coding, "damaged"));
        CHECK(inflate_freely(form.coding, wire)->view() == text);
    }
}
