// The first byte chooses the coding, the second where the body is cut into two pieces.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "receive/content_coding.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT: its name
    using spangate::ContentCoding;
    constexpr spangate::Bytes bytes_max = 1 << 20;
    if (size < 2) return 0;
    const auto coding = data[0] % 2 == 0 ? ContentCoding::gzip : ContentCoding::zstd;
    const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);  // NOLINT
    const std::size_t cut = data[1] < wire.size() ? data[1] : wire.size();
    const std::array<std::string_view, 2> pieces = {wire.substr(0, cut), wire.substr(cut)};
    const auto body = spangate::inflate(coding, pieces, bytes_max, [](spangate::Bytes) {
        return spangate::Status();
    });
    if (body && body->size() > bytes_max) std::abort();
    return 0;
}
