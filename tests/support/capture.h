// Real request bodies of tests/captures, decoded.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "base/arena.h"
#include "config/config.h"
#include "decode/decoder.h"
#include "model/batch.h"

namespace spangate {

[[nodiscard]] inline std::string file_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// `bytes` as they are when they are not gzip.
[[nodiscard]] inline std::string gunzipped(const std::string& bytes) {
    if (!bytes.starts_with("\x1f\x8b")) return bytes;
    constexpr int any_header = 47;  // gzip or zlib, window of 32 KiB
    z_stream stream{};
    if (inflateInit2(&stream, any_header) != Z_OK) return {};
    std::string out;
    std::string block(1 << 16, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // NOLINT: zlib
    stream.avail_in = static_cast<uInt>(bytes.size());
    int status = Z_OK;
    while (status == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(block.data());  // NOLINT: zlib
        stream.avail_out = static_cast<uInt>(block.size());
        status = inflate(&stream, Z_NO_FLUSH);
        out.append(block, 0, block.size() - stream.avail_out);
    }
    inflateEnd(&stream);
    return out;
}

// The trace requests of one capture (and its log requests), in the order in which they were sent.
// Spans point into the arena and the requests' bodies.
[[nodiscard]] inline std::vector<DecodedRequest> decode_capture(
    const std::filesystem::path& folder,
    Decoder& decoder,
    Arena& arena,
    WallNanos received_at,
    bool with_logs = false
) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        const bool is_wanted = name.find(".traces.") != std::string::npos ||
                               (with_logs && name.find(".logs.") != std::string::npos);
        if (is_wanted && !name.ends_with(".headers.json")) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    std::vector<DecodedRequest> requests;
    for (const std::filesystem::path& file : files) {
        DecodedRequest request;
        const std::string bytes = gunzipped(file_text(file));
        request.raw.body.append(bytes);
        const bool is_json = !bytes.empty() && bytes.front() == '{';
        request.raw.encoding = is_json ? BodyEncoding::json : BodyEncoding::protobuf;
        request.raw.received_at = received_at;
        const bool is_logs = file.filename().string().find(".logs.") != std::string::npos;
        request.raw.signal = is_logs ? Signal::logs : Signal::traces;
        Result<DecodedItems> traces = decoder.decode(request.raw, arena);
        if (!traces) throw std::runtime_error(file.string() + ": " + traces.error().message);
        request.spans = traces->spans;
        request.keep_alive = traces->keep_alive;
        requests.push_back(std::move(request));
    }
    return requests;
}

}  // namespace spangate
