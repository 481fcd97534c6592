// Vendors' keys that a prefix tells. The anchor pass stops at one byte of each prefix, told by it
// and the two bytes before it (anchor_windows.h reads this table).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace spangate {

// What a key has behind its prefix.
enum class Alphabet : std::uint8_t {
    alnum,
    url,     // alnum and - _ .
    base64,  // url and + / =
};

struct VendorKey {
    std::string_view prefix;
    std::size_t anchor = 0;     // index in prefix of the byte that is stopped at, 2 or more
    std::size_t bytes_min = 0;  // after the prefix
    Alphabet alphabet = Alphabet::alnum;
};

inline constexpr auto prefixed_keys = std::to_array<VendorKey>({
    {"AKIA", 2, 12, Alphabet::alnum},        {"ASIA", 2, 12, Alphabet::alnum},
    {"ABIA", 2, 12, Alphabet::alnum},        {"bedrock-api-key-", 7, 40, Alphabet::base64},
    {"ya29.", 2, 20, Alphabet::url},         {"GOCSPX-", 6, 20, Alphabet::url},
    {"AQ.Ab", 4, 40, Alphabet::url},         {"sk-proj-", 2, 20, Alphabet::url},
    {"sk-ant-", 2, 20, Alphabet::url},       {"sk-svcacct-", 2, 20, Alphabet::url},
    {"sk-admin-", 2, 20, Alphabet::url},     {"sk-None-", 2, 20, Alphabet::url},
    {"sk-or-", 2, 20, Alphabet::url},        {"sk-lf-", 2, 20, Alphabet::url},
    {"pk-lf-", 2, 20, Alphabet::url},        {"sk-", 2, 20, Alphabet::alnum},
    {"sk_live_", 2, 16, Alphabet::alnum},    {"sk_test_", 2, 16, Alphabet::alnum},
    {"sk_prod_", 2, 16, Alphabet::alnum},    {"rk_live_", 2, 16, Alphabet::alnum},
    {"rk_test_", 2, 16, Alphabet::alnum},    {"rk_prod_", 2, 16, Alphabet::alnum},
    {"sk_", 2, 48, Alphabet::alnum},         {"whsec_", 5, 16, Alphabet::base64},
    {"ghp_", 3, 30, Alphabet::alnum},        {"gho_", 3, 30, Alphabet::alnum},
    {"ghu_", 3, 30, Alphabet::alnum},        {"ghs_", 3, 30, Alphabet::url},
    {"ghr_", 3, 30, Alphabet::alnum},        {"github_pat_", 6, 30, Alphabet::url},
    {"glpat-", 5, 18, Alphabet::url},        {"gldt-", 4, 18, Alphabet::url},
    {"glrt-", 4, 18, Alphabet::url},         {"glrtr-", 5, 18, Alphabet::url},
    {"glptt-", 5, 18, Alphabet::url},        {"glcbt-", 5, 18, Alphabet::url},
    {"glsoat-", 6, 18, Alphabet::url},       {"gloas-", 5, 18, Alphabet::url},
    {"glft-", 4, 18, Alphabet::url},         {"glimt-", 5, 18, Alphabet::url},
    {"glagent-", 7, 18, Alphabet::url},      {"glffct-", 6, 18, Alphabet::url},
    {"glwt-", 4, 18, Alphabet::url},         {"xoxb-", 4, 16, Alphabet::url},
    {"xoxp-", 4, 16, Alphabet::url},         {"xoxa-", 4, 16, Alphabet::url},
    {"xoxr-", 4, 16, Alphabet::url},         {"xoxs-", 4, 16, Alphabet::url},
    {"xoxo-", 4, 16, Alphabet::url},         {"xoxc-", 4, 16, Alphabet::url},
    {"xoxe-", 4, 16, Alphabet::url},         {"xoxd-", 4, 40, Alphabet::base64},
    {"xapp-", 4, 16, Alphabet::url},         {"hf_", 2, 30, Alphabet::alnum},
    {"api_org_", 3, 30, Alphabet::alnum},    {"npm_", 3, 30, Alphabet::alnum},
    {"pypi-", 4, 40, Alphabet::url},         {"rubygems_", 8, 40, Alphabet::alnum},
    {"CLOJARS_", 7, 60, Alphabet::alnum},    {"hvs.CAESI", 8, 60, Alphabet::url},
    {"hvb.", 2, 60, Alphabet::url},          {"dop_v1_", 3, 40, Alphabet::alnum},
    {"doo_v1_", 3, 40, Alphabet::alnum},     {"dor_v1_", 3, 40, Alphabet::alnum},
    {"shpat_", 5, 30, Alphabet::alnum},      {"shpss_", 5, 30, Alphabet::alnum},
    {"shpca_", 5, 30, Alphabet::alnum},      {"shppa_", 5, 30, Alphabet::alnum},
    {"gsk_", 3, 30, Alphabet::alnum},        {"r8_", 2, 30, Alphabet::alnum},
    {"tvly-", 4, 20, Alphabet::url},         {"pcsk_", 4, 30, Alphabet::url},
    {"nvapi-", 5, 40, Alphabet::url},        {"xai-", 3, 40, Alphabet::url},
    {"pplx-", 4, 30, Alphabet::alnum},       {"csk-", 3, 40, Alphabet::alnum},
    {"tgp_v1_", 3, 30, Alphabet::url},       {"fw_", 2, 20, Alphabet::alnum},
    {"jina_", 4, 30, Alphabet::alnum},       {"e2b_", 3, 40, Alphabet::alnum},
    {"fc-", 2, 32, Alphabet::alnum},         {"lsv2_", 4, 30, Alphabet::url},
    {"wandb_v1_", 5, 40, Alphabet::url},     {"phx_", 3, 30, Alphabet::alnum},
    {"vck_", 3, 40, Alphabet::url},          {"vcp_", 3, 40, Alphabet::url},
    {"vca_", 3, 40, Alphabet::url},          {"vci_", 3, 40, Alphabet::url},
    {"vcr_", 3, 40, Alphabet::url},          {"sb_secret_", 2, 24, Alphabet::url},
    {"sbp_", 3, 30, Alphabet::alnum},        {"lin_api_", 3, 30, Alphabet::alnum},
    {"lin_oauth_", 3, 30, Alphabet::alnum},  {"ntn_", 3, 30, Alphabet::alnum},
    {"secret_", 6, 43, Alphabet::alnum},     {"figd_", 4, 30, Alphabet::url},
    {"ATATT3xFfG", 9, 60, Alphabet::base64}, {"ATCTT3xFfG", 9, 60, Alphabet::base64},
    {"ATBB", 2, 32, Alphabet::alnum},        {"glsa_", 4, 30, Alphabet::url},
    {"glc_", 3, 30, Alphabet::base64},       {"sntrys_", 6, 30, Alphabet::base64},
    {"sntryu_", 6, 40, Alphabet::alnum},     {"NRAK-", 4, 20, Alphabet::alnum},
    {"NRII-", 4, 20, Alphabet::url},         {"PMAK-", 4, 24, Alphabet::url},
    {"dckr_pat_", 4, 20, Alphabet::url},     {"dckr_oat_", 4, 20, Alphabet::url},
    {"pul-", 3, 30, Alphabet::alnum},        {"pnu_", 3, 30, Alphabet::alnum},
    {"rdme_", 4, 40, Alphabet::alnum},       {"rnd_", 3, 24, Alphabet::alnum},
    {"tskey-", 5, 20, Alphabet::url},        {"fm2_", 3, 40, Alphabet::base64},
    {"HRKU-", 4, 30, Alphabet::url},         {"sq0atp-", 6, 20, Alphabet::url},
    {"sq0csp-", 6, 30, Alphabet::url},       {"pscale_tkn_", 6, 30, Alphabet::url},
    {"pscale_pw_", 6, 30, Alphabet::url},    {"pscale_oauth_", 6, 30, Alphabet::url},
    {"pat-na1-", 7, 32, Alphabet::url},      {"pat-eu1-", 7, 32, Alphabet::url},
    {"xkeysib-", 7, 40, Alphabet::url},      {"LTAI", 3, 16, Alphabet::alnum},
    {"ops_eyJ", 3, 60, Alphabet::base64},    {"AGE-SECRET-KEY-1", 3, 40, Alphabet::alnum},
    {"sgp_", 3, 30, Alphabet::url},          {"ABSK", 2, 40, Alphabet::base64},
    {"AIza", 2, 30, Alphabet::url},          {"SG.", 2, 20, Alphabet::url},
});

}  // namespace spangate
