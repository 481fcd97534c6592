// The first byte chooses the signal.
#include "touch_views.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {  // NOLINT: its name
    static_cast<void>(spangate::fuzzing::decode_and_read(data, size, spangate::BodyEncoding::json));
    return 0;
}
