// Bodies that real SDKs sent (tests/captures).
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <zlib.h>

#include <catch2/catch.hpp>

#include "decode/decoder.h"
#include "otlp_oracle.h"

namespace spangate {
namespace {

std::string file_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string unzipped(const std::filesystem::path& path) {
    std::string text;
    ::gzFile file = ::gzopen(path.c_str(), "rb");
    std::array<char, 65'536> piece{};
    for (int read = 0; (read = ::gzread(file, piece.data(), piece.size())) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(read));
    ::gzclose(file);
    return text;
}

std::vector<std::filesystem::path> captured_traces() {
    std::vector<std::filesystem::path> paths;
    const std::filesystem::path root =
        std::filesystem::path(SPANGATE_SOURCE_DIR) / "tests/captures";
    if (!std::filesystem::exists(root)) return paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::string name = entry.path().filename().string();
        const bool is_body = name.find(".traces.") != std::string::npos;
        if (is_body && name.find("headers") == std::string::npos) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace

TEST_CASE("every captured request is decoded whole, as the protobuf library reads it") {
    const auto paths = captured_traces();
    REQUIRE_FALSE(paths.empty());
    Decoder decoder({});
    Arena arena;
    for (const std::filesystem::path& path : paths) {
        INFO(path.string());
        const bool is_json = path.string().find(".json") != std::string::npos;
        const std::string body = path.extension() == ".gz" ? unzipped(path) : file_text(path);
        RawRequest request =
            testing::raw_request(body, is_json ? BodyEncoding::json : BodyEncoding::protobuf);
        arena.reset();
        const Result<DecodedTraces> traces = decoder.decode(request, arena);
        if (!traces) FAIL(traces.error().message);
        CHECK(traces->rejected == 0);
        CHECK_FALSE(traces->spans.empty());
        if (is_json) continue;
        testing::OtlpRequest oracle;
        REQUIRE(oracle.ParseFromString(body));
        std::size_t spans_count = 0;
        for (const auto& resource_spans : oracle.resource_spans()) {
            for (const auto& scope_spans : resource_spans.scope_spans())
                spans_count += static_cast<std::size_t>(scope_spans.spans_size());
        }
        CHECK(traces->spans.size() == spans_count);
    }
}

}  // namespace spangate
