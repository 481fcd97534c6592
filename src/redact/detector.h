// The built-in detectors: what personal data and secrets look like in text. One anchor pass over
// the bytes (anchors.h) finds the few places worth a look; exact validators (checksums, issuer and
// country tables, ranges, parsers) decide there. Pure functions; linear in the size of the text,
// because every look around an anchor is bounded or consumes what it has read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace spangate {

enum class Detector : std::uint8_t {
    email,
    phone,
    card,
    iban,
    ssn,
    jwt,
    bearer,
    vendor_keys,
    private_key,
    url_credentials,
    connection_string,
    ip,
    mac,
    entropy,
};

// As in the configuration (`redact.detectors`), in counts and in placeholders.
inline constexpr std::array<std::string_view, 14> detector_names = {
    "email",
    "phone",
    "card",
    "iban",
    "ssn",
    "jwt",
    "bearer",
    "vendor_keys",
    "private_key",
    "url_credentials",
    "connection_string",
    "ip",
    "mac",
    "entropy",
};

inline constexpr std::size_t detectors_count = detector_names.size();

using DetectorMask = std::uint32_t;

[[nodiscard]] constexpr DetectorMask bit(Detector detector) {
    return DetectorMask{1} << static_cast<unsigned>(detector);
}

inline constexpr DetectorMask all_detectors = (DetectorMask{1} << detectors_count) - 1;

// On ids neither the entropy detector nor number formats without a checksum run (contract §5): an
// id may look like a phone number, an address or noise.
inline constexpr DetectorMask id_detectors =
    all_detectors & ~(bit(Detector::entropy) | bit(Detector::phone) | bit(Detector::ssn) |
                      bit(Detector::ip) | bit(Detector::mac));

// Detectors first, in their order; then the rules of rule_set.h.
using RuleId = std::uint16_t;

// A stretch of bytes that a rule hit.
struct Match {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    RuleId rule = 0;
};

// What a key tells about the value beside it. One byte: it is handed on with every text.
struct KeyHints {
    bool password : 1 = false;  // any value is a secret
    bool secret : 1 = false;    // a random-looking value is a secret
    bool some_key : 1 = false;  // a random-looking value that is no hash or UUID is a secret
    bool phone : 1 = false;
    bool ssn : 1 = false;
    bool version : 1 = false;  // 1.2.3.4 is no address here

    [[nodiscard]] bool any() const {
        return (password | secret | some_key | phone | ssn) != 0;  // without a branch for each
    }
};

[[nodiscard]] KeyHints hints_of(std::string_view key);

// Appends what the detectors of `mask` find in `text`, in no particular order and possibly
// overlapping. `text` is at most 4 GiB.
void detect(std::string_view text, DetectorMask mask, KeyHints hints, std::vector<Match>& matches);

// Digits of a payment card: an issuer's prefix and length, and the Luhn checksum.
[[nodiscard]] bool is_card_number(std::string_view digits);

}  // namespace spangate
