#include "redact/anchors.h"

#include "redact/anchor_walk.h"

namespace spangate {
namespace anchors {
namespace {

class PortableClassifier {
  public:
    Masks whole(const char* bytes) { return part({bytes, anchor_block_bytes, 0}); }

    Masks part(const Part& part) {
        Masks masks;
        for (std::size_t i = 0; i < part.size; ++i) {
            const auto byte = static_cast<unsigned char>(part.first[i]);
            const std::uint32_t here = std::uint32_t{1} << i;
            const unsigned classes = class_table.groups(byte);
            if ((classes & class_digit) != 0) masks.digits |= here;
            if ((classes & class_separator) != 0) masks.separators |= here;
            const bool is_end = ends_window(byte);  // of every byte: it remembers them
            if ((classes & mark_classes) != 0 || byte == wide_at_sign_end || is_end) {
                masks.marks |= here;
            }
        }
        return masks;
    }

  private:
    bool ends_window(unsigned char byte) {
        const unsigned found = second_ & window_tables[2].groups(byte);
        second_ = first_ & window_tables[1].groups(byte);
        first_ = window_tables[0].groups(byte);
        return found != 0;
    }

    unsigned first_ = 0;   // groups whose first byte was the last one
    unsigned second_ = 0;  // groups whose first two bytes were the last two
};

}  // namespace

AnchorBlock find_short_portable(std::string_view text) {
    Words words;
    PortableClassifier classifier;
    return anchors_of(words, classifier.part({text.data(), text.size(), 0}));
}

void find_portable(Walk& shared) {
    Walk walk = shared;  // a copy of its own stays in registers
    PortableClassifier classifier;
    if (walk.at > 0) (void)classifier.whole(walk.before());
    while (walk.goes_on())
        walk.take(classifier.part(walk.is_whole() ? walk.whole() : walk.part()));
    shared = walk;
}

}  // namespace anchors

namespace {

AnchorEngine detect_engine() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) return AnchorEngine::avx2;
    if (__builtin_cpu_supports("ssse3")) return AnchorEngine::ssse3;
#endif
    return AnchorEngine::portable;
}

// Before this is initialised it reads `portable`, which every processor runs.
const AnchorEngine best_engine = detect_engine();

}  // namespace

AnchorEngine best_anchor_engine() {
    return best_engine;
}

AnchorBlock anchors_of_short(std::string_view text, AnchorEngine engine) {
    switch (engine) {
#if defined(__x86_64__)
        case AnchorEngine::avx2:
            return anchors::find_short_avx2(text);
        case AnchorEngine::ssse3:
            return anchors::find_short_ssse3(text);
#endif
        default:
            return anchors::find_short_portable(text);
    }
}

std::span<const AnchorBlock> AnchorPass::next() {
    anchors::Walk walk{text_, at_, words_, blocks_, 0};
    while (walk.count == 0 && walk.at < text_.size()) {
        switch (engine_) {
#if defined(__x86_64__)
            case AnchorEngine::avx2:
                anchors::find_avx2(walk);
                break;
            case AnchorEngine::ssse3:
                anchors::find_ssse3(walk);
                break;
#endif
            default:
                anchors::find_portable(walk);
                break;
        }
    }
    at_ = walk.at;
    words_ = walk.words;
    return std::span(blocks_).first(walk.count);
}

}  // namespace spangate
