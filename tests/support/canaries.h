// Made-up personal data and secrets, at least one for each detector: what is put into every place a
// string can stand in, and looked for in everything that leaves.
#pragma once

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "redact/detector.h"

namespace spangate::testing {

struct Canary {
    std::string_view name;
    Detector detector;
    std::string_view text;
    std::string_view telling;              // a part of it that is as bad to see
    std::int64_t number = 0;               // the same as a number; 0: it is none
    std::string_view number_key = "note";  // beside which the number tells what it is
};

// Every one that has a checksum or a form passes it; none belongs to anybody.
[[nodiscard]] inline const std::vector<Canary>& canaries() {
    static const std::vector<Canary> all = {
        {"email", Detector::email, "canary.jane@example.com", "canary.jane"},
        {"email, percent-encoded", Detector::email, "canary.joe%40example.com", "canary.joe"},
        {"phone", Detector::phone, "+14155550132", "4155550132", 14155550132, "phone"},
        {"phone, national", Detector::phone, "(415) 555-0187", "555-0187"},
        {"card", Detector::card, "4111111111111111", "11111111111", 4111111111111111},
        {"card, in groups", Detector::card, "5500 0055 5555 5559", "0055 5555"},
        {"iban", Detector::iban, "DE89370400440532013000", "370400440532"},
        {"iban, in groups", Detector::iban, "GB29 NWBK 6016 1331 9268 19", "6016 1331"},
        {"ssn", Detector::ssn, "219-09-9471", "19-09-9471", 219099471, "ssn"},
        {"jwt",
         Detector::jwt,
         "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ",
         "eyJzdWIiOiJjYW5hcnkifQ"},
        {"bearer", Detector::bearer, "Bearer c4n4ry0b5cur3t0k3n9871", "c4n4ry0b5cur3"},
        {"basic", Detector::bearer, "Basic Y2FuYXJ5OnMzY3IzdA==", "Y2FuYXJ5OnMz"},
        {"AWS key id", Detector::vendor_keys, "AKIAIOSFODNN7CANARY1", "IOSFODNN7CANARY"},
        {"GitHub token",
         Detector::vendor_keys,
         "ghp_c4n4ryAbCdEfGhIjKlMnOpQrStUvWx012345",
         "c4n4ryAbCdEfGh"},
        {"private key",
         Detector::private_key,
         "-----BEGIN PRIVATE KEY-----\nMIICdgIBADANBgkCANARY0BAQEF\n-----END PRIVATE KEY-----",
         "ADANBgkCANARY"},
        {"URL with a password",
         Detector::url_credentials,
         "https://robot:c4n4rypa55@host.example/x",
         "c4n4rypa55"},
        {"connection string",
         Detector::connection_string,
         "Server=db.example;User Id=robot;Password=c4n4ryTr0ub4dor;",
         "c4n4ryTr0ub"},
        {"IPv4 address", Detector::ip, "203.0.113.77", "203.0.113"},
        {"IPv6 address", Detector::ip, "2001:db8:85a3::8a2e:370:7334", "8a2e:370:7334"},
        {"MAC address", Detector::mac, "0a:1b:2c:3d:4e:5f", "2c:3d:4e"},
        {"random secret", Detector::entropy, "api_key=Zk3v9Qx7Lm2Np8Rt5Wy1Bd4F", "Qx7Lm2Np8Rt5"},
    };
    return all;
}

// The stretches of base64 that hide `text`, one for each place in a group of three bytes.
[[nodiscard]] inline std::vector<std::string> base64_stretches(std::string_view text) {
    std::vector<std::string> found;
    for (std::size_t shift = 0; shift < 3; ++shift) {
        const std::string coded = to_base64(std::string(shift, '\0') + std::string(text));
        const std::size_t first = shift == 0 ? 0 : 4;  // not of our bytes alone
        const std::size_t last = (shift + text.size()) / 3 * 4;
        if (last >= first + 8) found.push_back(coded.substr(first, last - first));
    }
    return found;
}

// Every byte but letters and digits as %XX.
[[nodiscard]] inline std::string url_encoded(std::string_view text) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string coded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0) {
            coded += c;
        } else {
            coded += {'%', digits[byte >> 4U], digits[byte & 15U]};
        }
    }
    return coded;
}

// What must not be seen of a canary: the telling part, plain, in base64 and URL-encoded, and its
// number without the first digit, behind which a real number has its point.
[[nodiscard]] inline std::vector<std::string> needles_of(const Canary& canary) {
    std::vector<std::string> needles = base64_stretches(canary.telling);
    needles.emplace_back(canary.telling);
    needles.push_back(url_encoded(canary.telling));
    if (canary.number != 0) needles.push_back(std::to_string(canary.number).substr(1));
    return needles;
}

// Whether `record` shows the canary, one of canaries().
[[nodiscard]] inline bool shows(std::string_view record, const Canary& canary) {
    static const std::vector<std::vector<std::string>> needles = [] {
        std::vector<std::vector<std::string>> made;
        for (const Canary& one : canaries())
            made.push_back(needles_of(one));
        return made;
    }();
    const auto number = static_cast<std::size_t>(&canary - canaries().data());
    return std::any_of(
        needles[number].begin(),
        needles[number].end(),
        [record](const std::string& needle) {
            return record.find(needle) != std::string_view::npos;
        }
    );
}

}  // namespace spangate::testing
