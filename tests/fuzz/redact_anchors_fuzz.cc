// The anchor engines against a look at every byte, and the detectors over whatever comes: nothing
// may be read outside the text, every match lies in it.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "redact/anchors_reference.h"
#include "redact/detector.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A copy that ends where its memory ends.
    const auto bytes = std::make_unique<char[]>(size);
    if (size > 0) std::memcpy(bytes.get(), data, size);
    const std::string_view text(bytes.get(), size);
    const spangate::Anchors expected = spangate::reference_anchors(text);
    for (const spangate::AnchorEngine engine : spangate::engines()) {
        if (spangate::engine_anchors(text, engine) != expected) std::abort();
    }
    std::vector<spangate::Match> matches;
    spangate::detect(text, spangate::all_detectors, {}, matches);
    for (const spangate::Match& match : matches) {
        if (match.begin >= match.end || match.end > size) std::abort();
    }
    return 0;
}
