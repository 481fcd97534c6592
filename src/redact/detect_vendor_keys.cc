// Vendors' keys that a prefix tells.
#include <array>

#include "redact/scan.h"

namespace spangate {
namespace {

// What a key has behind its prefix.
enum class Alphabet : std::uint8_t {
    alnum,
    url,     // alnum and - _ .
    base64,  // url and + / =
};

struct VendorKey {
    std::string_view prefix;
    std::size_t anchor = 0;     // index in prefix of the byte that the anchor pass stops at
    std::size_t bytes_min = 0;  // after the prefix
    Alphabet alphabet = Alphabet::alnum;
};

using enum Alphabet;

constexpr auto vendor_keys = std::to_array<VendorKey>({
    {"AKIA", 2, 12, alnum},        {"ASIA", 2, 12, alnum},
    {"ABIA", 2, 12, alnum},        {"bedrock-api-key-", 7, 40, base64},
    {"ya29.", 2, 20, url},         {"GOCSPX-", 6, 20, url},
    {"AQ.Ab", 4, 40, url},         {"sk-proj-", 2, 20, url},
    {"sk-ant-", 2, 20, url},       {"sk-svcacct-", 2, 20, url},
    {"sk-admin-", 2, 20, url},     {"sk-None-", 2, 20, url},
    {"sk-or-", 2, 20, url},        {"sk-lf-", 2, 20, url},
    {"pk-lf-", 2, 20, url},        {"sk-", 2, 20, alnum},
    {"sk_live_", 2, 16, alnum},    {"sk_test_", 2, 16, alnum},
    {"sk_prod_", 2, 16, alnum},    {"rk_live_", 2, 16, alnum},
    {"rk_test_", 2, 16, alnum},    {"rk_prod_", 2, 16, alnum},
    {"sk_", 2, 48, alnum},         {"whsec_", 5, 16, base64},
    {"ghp_", 3, 30, alnum},        {"gho_", 3, 30, alnum},
    {"ghu_", 3, 30, alnum},        {"ghs_", 3, 30, url},
    {"ghr_", 3, 30, alnum},        {"github_pat_", 6, 30, url},
    {"glpat-", 5, 18, url},        {"gldt-", 4, 18, url},
    {"glrt-", 4, 18, url},         {"glrtr-", 5, 18, url},
    {"glptt-", 5, 18, url},        {"glcbt-", 5, 18, url},
    {"glsoat-", 6, 18, url},       {"gloas-", 5, 18, url},
    {"glft-", 4, 18, url},         {"glimt-", 5, 18, url},
    {"glagent-", 7, 18, url},      {"glffct-", 6, 18, url},
    {"glwt-", 4, 18, url},         {"xoxb-", 4, 16, url},
    {"xoxp-", 4, 16, url},         {"xoxa-", 4, 16, url},
    {"xoxr-", 4, 16, url},         {"xoxs-", 4, 16, url},
    {"xoxo-", 4, 16, url},         {"xoxc-", 4, 16, url},
    {"xoxe-", 4, 16, url},         {"xoxd-", 4, 40, base64},
    {"xapp-", 4, 16, url},         {"hf_", 2, 30, alnum},
    {"api_org_", 3, 30, alnum},    {"npm_", 3, 30, alnum},
    {"pypi-", 4, 40, url},         {"rubygems_", 8, 40, alnum},
    {"CLOJARS_", 7, 60, alnum},    {"hvs.CAESI", 8, 60, url},
    {"hvb.", 2, 60, url},          {"dop_v1_", 3, 40, alnum},
    {"doo_v1_", 3, 40, alnum},     {"dor_v1_", 3, 40, alnum},
    {"shpat_", 5, 30, alnum},      {"shpss_", 5, 30, alnum},
    {"shpca_", 5, 30, alnum},      {"shppa_", 5, 30, alnum},
    {"gsk_", 3, 30, alnum},        {"r8_", 2, 30, alnum},
    {"tvly-", 4, 20, url},         {"pcsk_", 4, 30, url},
    {"nvapi-", 5, 40, url},        {"xai-", 3, 40, url},
    {"pplx-", 4, 30, alnum},       {"csk-", 3, 40, alnum},
    {"tgp_v1_", 3, 30, url},       {"fw_", 2, 20, alnum},
    {"jina_", 4, 30, alnum},       {"e2b_", 3, 40, alnum},
    {"fc-", 2, 32, alnum},         {"lsv2_", 4, 30, url},
    {"wandb_v1_", 5, 40, url},     {"phx_", 3, 30, alnum},
    {"vck_", 3, 40, url},          {"vcp_", 3, 40, url},
    {"vca_", 3, 40, url},          {"vci_", 3, 40, url},
    {"vcr_", 3, 40, url},          {"sb_secret_", 2, 24, url},
    {"sbp_", 3, 30, alnum},        {"lin_api_", 3, 30, alnum},
    {"lin_oauth_", 3, 30, alnum},  {"ntn_", 3, 30, alnum},
    {"secret_", 6, 43, alnum},     {"figd_", 4, 30, url},
    {"ATATT3xFfG", 9, 60, base64}, {"ATCTT3xFfG", 9, 60, base64},
    {"ATBB", 2, 32, alnum},        {"glsa_", 4, 30, url},
    {"glc_", 3, 30, base64},       {"sntrys_", 6, 30, base64},
    {"sntryu_", 6, 40, alnum},     {"NRAK-", 4, 20, alnum},
    {"NRII-", 4, 20, url},         {"PMAK-", 4, 24, url},
    {"dckr_pat_", 4, 20, url},     {"dckr_oat_", 4, 20, url},
    {"pul-", 3, 30, alnum},        {"pnu_", 3, 30, alnum},
    {"rdme_", 4, 40, alnum},       {"rnd_", 3, 24, alnum},
    {"tskey-", 5, 20, url},        {"fm2_", 3, 40, base64},
    {"HRKU-", 4, 30, url},         {"sq0atp-", 6, 20, url},
    {"sq0csp-", 6, 30, url},       {"pscale_tkn_", 6, 30, url},
    {"pscale_pw_", 6, 30, url},    {"pscale_oauth_", 6, 30, url},
    {"pat-na1-", 7, 32, url},      {"pat-eu1-", 7, 32, url},
    {"xkeysib-", 7, 40, url},      {"LTAI", 3, 16, alnum},
    {"ops_eyJ", 3, 60, base64},    {"AGE-SECRET-KEY-1", 3, 40, alnum},
    {"sgp_", 3, 30, url},
});

// Those whose anchor is their second byte.
constexpr auto short_prefix_keys = std::to_array<VendorKey>({
    {"ABSK", 1, 40, base64},
    {"AIza", 1, 30, url},
    {"SG.", 1, 20, url},
});

// An anchor and the two bytes before it.
constexpr std::uint32_t three_bytes(char first, char second, char anchor) {
    const auto number = [](char c) {
        return static_cast<std::uint32_t>(static_cast<unsigned char>(c));
    };
    return number(first) << 16 | number(second) << 8 | number(anchor);
}

// Folded into 12 bits.
constexpr std::size_t fold(std::uint32_t three) {
    return three * 0x9E3779B1U >> 20;  // multiplicative
}

// The keys by their three bytes: most anchors are told to be none of theirs by one bit.
class PrefixIndex {
  public:
    constexpr PrefixIndex() {
        for (std::size_t i = vendor_keys.size(); i > 0; --i) {
            const VendorKey& key = vendor_keys[i - 1];
            const std::string_view at = key.prefix.substr(key.anchor - 2, 3);
            threes_[i - 1] = three_bytes(at[0], at[1], at[2]);
            const std::size_t folded = fold(threes_[i - 1]);
            words_[folded / 64] |= std::uint64_t{1} << (folded % 64);
            next_[i - 1] = heads_[folded / folds_per_head];
            heads_[folded / folds_per_head] = static_cast<std::uint8_t>(i);
        }
    }

    [[nodiscard]] constexpr bool may_have(std::uint32_t three) const {
        const std::size_t folded = fold(three);
        return (words_[folded / 64] >> (folded % 64) & 1U) != 0;
    }

    // Calls `take` with each key that has the three bytes, until it says true.
    template <typename Take>
    constexpr void visit(std::uint32_t three, const Take& take) const {
        for (std::size_t i = heads_[fold(three) / folds_per_head]; i != 0; i = next_[i - 1]) {
            if (threes_[i - 1] == three && take(vendor_keys[i - 1])) return;
        }
    }

  private:
    static constexpr std::size_t folds_per_head = 16;

    std::array<std::uint64_t, 64> words_{};
    std::array<std::uint8_t, 256> heads_{};  // a key's number, counted from 1; 0: none
    std::array<std::uint8_t, vendor_keys.size()> next_{};
    std::array<std::uint32_t, vendor_keys.size()> threes_{};
};

static_assert(vendor_keys.size() < 256);

constexpr bool is_in(Alphabet alphabet, char c) {
    if (is_alnum(c)) return true;
    if (alphabet == alnum) return false;
    if (c == '-' || c == '_' || c == '.') return true;
    return alphabet == base64 && is_base64(c);
}

// AWS key ids are 20 characters long; the others have at least their minimum.
bool take_vendor_key(Scan& scan, std::size_t begin, const VendorKey& key) {
    std::size_t end = begin + key.prefix.size();
    bool has_digit = false;
    bool has_upper = false;
    while (is_in(key.alphabet, scan.at(end))) {
        const char c = scan.text[end++];
        has_digit = has_digit || is_digit(c);
        has_upper = has_upper || (c >= 'A' && c <= 'Z');
    }
    while (scan.text[end - 1] == '.')
        --end;
    if (end - begin < key.prefix.size() + key.bytes_min || !(has_digit || has_upper)) return false;
    scan.add(Detector::vendor_keys, begin, end);
    return true;
}

bool try_vendor_key(Scan& scan, std::size_t anchor, const VendorKey& key) {
    if (anchor < key.anchor) return false;
    const std::size_t begin = anchor - key.anchor;
    if (scan.text[begin] != key.prefix[0] || !scan.starts_with(begin, key.prefix)) return false;
    return !scan.word_before(begin) && take_vendor_key(scan, begin, key);
}

constexpr PrefixIndex prefix_index;

// Both apart, so that the filter before them costs no frame.
[[gnu::noinline]] void try_vendor_keys(Scan& scan, std::size_t anchor, std::uint32_t three) {
    if (!scan.wants(Detector::vendor_keys)) return;
    prefix_index.visit(three, [&](const VendorKey& key) {
        return try_vendor_key(scan, anchor, key);
    });
}

[[gnu::noinline]] void try_short_prefix_keys(Scan& scan, std::size_t anchor) {
    if (!scan.wants(Detector::vendor_keys)) return;
    for (const VendorKey& key : short_prefix_keys) {
        if (try_vendor_key(scan, anchor, key)) return;
    }
}

}  // namespace

void detect_vendor_key(Scan& scan, std::size_t anchor) {
    if (anchor == 0) return;
    const char c = scan.text[anchor];
    const char before = scan.text[anchor - 1];
    if (before == 'A' ? c == 'I' || c == 'B' : before == 'S' && c == 'G') {
        try_short_prefix_keys(scan, anchor);
    }
    if (anchor == 1) return;
    const std::uint32_t three = three_bytes(scan.text[anchor - 2], before, c);
    if (prefix_index.may_have(three)) try_vendor_keys(scan, anchor, three);
}

}  // namespace spangate
