#include "redact/detector.h"

#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

struct Found {
    std::string rule;
    std::string text;

    friend bool operator==(const Found&, const Found&) = default;
};

std::vector<Found> findings_of(
    std::string_view text, KeyHints hints = {}, DetectorMask mask = all_detectors
) {
    std::vector<Match> matches;
    detect(text, mask, hints, matches);
    std::vector<Found> found;
    for (const Match& match : matches) {
        found.push_back(
            {std::string(detector_names[match.rule]),
             std::string(text.substr(match.begin, match.end - match.begin))}
        );
    }
    return found;
}

void check_found(std::string_view text, std::string_view rule, std::string_view hit) {
    INFO(text);
    const std::vector<Found> found = findings_of(text);
    std::string all;
    for (const Found& one : found)
        all += one.rule + "=" + one.text + " ";
    INFO(all);
    // Twice when it stands so in the decoded text, too; RuleSet joins them.
    CHECK(std::count(found.begin(), found.end(), Found{std::string(rule), std::string(hit)}) != 0);
}

void check_whole(std::string_view text, std::string_view rule) {
    check_found(text, rule, text);
    check_found("see " + std::string(text) + ", please", rule, text);
    check_found("(" + std::string(text) + ")", rule, text);
    check_found("say \\n" + std::string(text) + "\\n", rule, text);
}

void check_clean(std::string_view text) {
    INFO(text);
    std::string all;
    for (const Found& one : findings_of(text))
        all += one.rule + "=" + one.text + " ";
    CHECK(all.empty());
}

TEST_CASE("e-mail addresses are found, and nothing around them") {
    check_whole("jane.doe@example.com", "email");
    check_whole("jane+tag@mail.example.co.uk", "email");
    check_whole("jürgen@exämple.de", "email");
    check_found("mail jane@example.com.", "email", "jane@example.com");
    check_found("<jane@example.com>", "email", "jane@example.com");
    check_found("q=jane.doe%40example.com&x", "email", "jane.doe%40example.com");
    check_found("\"jane doe\"@example.com", "email", "\"jane doe\"@example.com");
    check_clean("user@host");
    check_clean("left-pad@1.3.0");
    check_clean("@scope/package");
    check_clean("a @ b.com");
}

TEST_CASE("phone numbers are found in international and national forms") {
    check_whole("+1-415-555-0132", "phone");
    check_whole("+1-202-555-0143", "phone");
    check_whole("+1 (415) 555-0132", "phone");
    check_whole("+14155550132", "phone");
    check_whole("+44 20 7946 0958", "phone");
    check_whole("+49 30 123456", "phone");
    check_whole("+33 6 12 34 56 78", "phone");
    check_whole("(415) 555-0132", "phone");
    check_whole("415-555-0132", "phone");
    check_whole("415.555.0132", "phone");
    check_whole("1-415-555-0132", "phone");
    check_whole("020 7946 0958", "phone");
    check_whole("01 23 45 67 89", "phone");
    check_whole("0151/23456789", "phone");
    check_found("phone: 4155550132.", "phone", "4155550132");
    check_found("call +1-415-555-0132 12 times", "phone", "+1-415-555-0132");
}

TEST_CASE("international numbers end where their country's plan ends") {
    check_whole("+33 (0)5 59 29 66 71", "phone");
    check_whole("+44(0)1632 960 447", "phone");
    check_whole("+44 (0) 20 7946 0958", "phone");
    check_whole("+49 (0)30 123456", "phone");
    check_whole("+380 44 123 45 67", "phone");
    check_whole("+43 660 123 45 67", "phone");
    check_whole("+49 89 12 34 56 78", "phone");
    check_whole("+36 1 234 56 78", "phone");
    check_whole("+972 50 123 45 67", "phone");
    check_whole("+55 11 91234-5678", "phone");
    check_whole("+45 12 34 56 78", "phone");
    check_found("+33 5 59 29 66 71 12 rue", "phone", "+33 5 59 29 66 71");
    check_found("+45 12 34 56 78 90 kr", "phone", "+45 12 34 56 78");
    check_found("+49 30 123456 24 hours", "phone", "+49 30 123456");
}

TEST_CASE("national numbers are found in brackets, and bare beside a word for telephone") {
    for (const std::string_view number :
         {"(0113) 4960388",
          "(0114) 496 0340",
          "(0117)4960038",
          "(07425) 163991",
          "(054) 2207649",
          "(059)-1623398",
          "(11) 91234-5678"}) {
        check_found(number, "phone", number);
        check_found("call " + std::string(number) + ", please", "phone", number);
    }
    for (const std::string_view number :
         {"01214960720",
          "0178749422",
          "604 288 481",
          "22 257 21 30",
          "34 3076-5965",
          "342 0837783",
          "98765 43210",
          "(02) 1234 5678",
          "26-0052-0189"}) {
        for (const std::string_view before :
             {"phone: ",
              "tel. ",
              "Tel.: ",
              "tel est ",
              "My mobile number is ",
              "Mon téléphone : ",
              "Teléfono: ",
              "Handy ",
              "Meine Telefonnummer lautet ",
              "Мой телефон ",
              "電話: ",
              "मेरा फ़ोन "}) {
            check_found(std::string(before) + std::string(number) + ".", "phone", number);
        }
    }
    check_found("020 7946 0958 12 times", "phone", "020 7946 0958");
    check_found("phone: 555-0132", "phone", "555-0132");
}

TEST_CASE("numbers beside a word for telephone that are other numbers stay") {
    check_clean("mobile build 20241105123");
    check_clean("the phone order 4155550132");
    check_clean("phone case, SKU 4155550132");
    check_clean("phone on 2024-05-01 10:11");
    check_clean("{\"type\":\"mobile\",\"account\":4155550132}");
    check_clean("hotel 604 288 481");
    check_clean("I tell 604 288 481");
    check_clean("(2024) 12345678");
    check_clean("Boston, MA 02110-1301, USA");
    check_clean("ff 20 00 00 00 10 00 05 00 00 00 00 00");
    check_clean("+1.12345679 +35236450.6");
    check_found("+1.4155550132", "phone", "+1.4155550132");
    check_clean("(0123)");
    check_clean("f(012, 345678)");
}

TEST_CASE("numbers that only look like phone numbers stay") {
    check_clean("2024-05-01T10:11:12+02:00");
    check_clean("2024-05-01 10:11:12.123456");
    check_clean("01/02/2024 10:11");
    check_clean("01-02-2024");
    check_clean("1714558272123");
    check_clean("1714558272123456789");
    check_clean("order 112-1234567-1234567");
    check_clean("1+23456789");
    check_clean("4155550132");
    check_clean("0.4155550132");
    check_clean("1,234,567,890");
}

TEST_CASE("card numbers are found bare and in groups") {
    for (const std::string_view card :
         {"4111111111111111",
          "4111 1111 1111 1111",
          "4111-1111-1111-1111",
          "41111111 11111111",
          "4222222222222",
          "5555555555554444",
          "2223003122003222",
          "378282246310005",
          "3782 822463 10005",
          "6011111111111117",
          "30569309025904",
          "3530111333300000",
          "180085601692356",
          "213148444555478"}) {
        check_whole(card, "card");
    }
    check_found("card4111111111111111", "card", "4111111111111111");
    check_found("12 4111 1111 1111 1111 12/26", "card", "4111 1111 1111 1111");
    check_found("pan_4111111111111111", "card", "4111111111111111");
}

TEST_CASE("numbers that only look like cards stay") {
    check_clean("4111111111111112");                      // Luhn
    check_clean("1234567812345670");                      // no issuer
    check_clean("180085601692355");                       // Luhn, 15 digits
    check_clean("1800856016923560");                      // JCB's 1800 has 15 digits
    check_clean("0.4111111111111111");                    // a fraction
    check_clean("411111111111111111111111");              // too long
    check_clean("ab4111111111111111cd0f");                // a hash
    check_clean("550e8400-e29b-41d4-a716-446655440000");  // a UUID
    check_clean("41111111-1111-1111-1111-111111111111");  // a UUID of digits
    check_clean("ORD-2024-000123456789");
    check_clean("1700000000000000000");
    check_clean("$4,111.00");
}

TEST_CASE("IBANs are found with their country's length and checksum") {
    check_whole("DE89370400440532013000", "iban");
    check_whole("DE89 3704 0044 0532 0130 00", "iban");
    check_whole("GB82WEST12345698765432", "iban");
    check_whole("FR1420041010050500013M02606", "iban");
    check_clean("DE88370400440532013000");
    check_clean("DE8937040044053201300");
    check_clean("XX89370400440532013000");
}

TEST_CASE("social security numbers are found in their ranges") {
    check_whole("078-05-1120", "ssn");
    check_found("SSN: 078 05 1120", "ssn", "078 05 1120");
    check_found("ssn=078051120", "ssn", "078051120");
    check_clean("000-05-1120");
    check_clean("666-05-1120");
    check_clean("900-05-1120");
    check_clean("078-00-1120");
    check_clean("078-05-0000");
    check_clean("1078-05-1120");
    check_clean("078-05-1120-7");
    check_clean("078 05 1120");
    check_clean("078051120");
}

constexpr std::string_view token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2lnbmF0dXJlLWZha2U";

TEST_CASE("JWTs are found by their header") {
    check_found(token, "jwt", token);
    check_found("token%20" + std::string(token), "jwt", token);
    check_found(
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0.", "jwt", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJqYW5lIn0"
    );
    check_clean("eyJhbGciOiJIUzI1NiJ9");
    check_clean("eyJub3QiOiJqc29uIn0.x.y");
}

TEST_CASE("bearer and basic credentials are found, the scheme stays") {
    check_found("Bearer " + std::string(token), "bearer", token);
    check_found("authorization: bearer 0123456789abcdef", "bearer", "0123456789abcdef");
    check_found("Basic amFuZTpodW50ZXIy", "bearer", "amFuZTpodW50ZXIy");
    check_clean("the bearer of good news");
    check_clean("basic understanding of things");
    check_clean("bearer authentication");
}

TEST_CASE("vendors' keys are found") {
    for (const std::string_view key :
         {"AKIAIOSFODNN7EXAMPLE",
          "AIzaSyA1234567890abcdefghijklmnopqrstuv",
          "sk-proj-abcdefghij0123456789ABCDEFGHIJ",
          "sk-ant-api03-abcdefghij0123456789_ABCDEF",
          "sk-abcdefghijklmnopqrstuvwx0123456789",
          "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
          "ghp_0123456789abcdefghijABCDEFGHIJ012345",
          "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwx",
          "glpat-abcdefghij0123456789",
          "xoxb-1234567890-abcdefghijkl",
          "hf_abcdefghijklmnopqrstuvwxyzABCDEF01",
          "SG.abcdefghijklmnopqrst.0123456789abcdefghij",
          "npm_abcdefghijklmnopqrstuvwxyz0123456789"}) {
        check_whole(key, "vendor_keys");
    }
    check_clean("AKIA");
    check_clean("task-runner-with-a-long-name-0123456789");
    check_clean("sk-learn-0.24.2");
    check_clean("SG.1");
}

TEST_CASE("private keys are found to their end, or to the end of a text that was cut") {
    const std::string key =
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----";
    check_found(key, "private_key", key);
    check_found("x " + key + " y", "private_key", key);
    check_found(
        "-----BEGIN PRIVATE KEY-----\nMII", "private_key", "-----BEGIN PRIVATE KEY-----\nMII"
    );
    check_clean("-----BEGIN CERTIFICATE-----\nMIIEpAIBAAKCAQEA\n-----END CERTIFICATE-----");
}

TEST_CASE("credentials in URLs and connection strings are found") {
    check_found("https://jane:pa55@example.com/x", "url_credentials", "jane:pa55");
    check_found("postgres://app:p@ss@db/app", "url_credentials", "app:p@ss");
    check_found("redis://:pa55@cache:6379", "url_credentials", ":pa55");
    check_found("Server=db;User Id=sa;Password=pa55;", "connection_string", "pa55");
    check_found("AccountName=a;AccountKey=abc/def==;", "connection_string", "abc/def==");
    check_clean("https://example.com:8080/@user");
    check_clean("https://example.com/path?x=1");
}

TEST_CASE("addresses of machines are found, versions and times are none") {
    check_whole("192.168.10.20", "ip");
    check_whole("203.0.113.7", "ip");
    check_whole("2001:db8::8a2e:370:7334", "ip");
    check_whole("fe80::1", "ip");
    check_whole("00:1A:2B:3C:4D:5E", "mac");
    check_whole("00-1A-2B-3C-4D-5E", "mac");
    check_found("http://10.0.0.1:8080/", "ip", "10.0.0.1");
    check_found(
        "host:8896:acd4:f61e:210e:df68:6181:d7f7:b5c9",
        "ip",
        "8896:acd4:f61e:210e:df68:6181:d7f7:b5c9"
    );
    check_found("client:fe80::1", "ip", "fe80::1");
    check_found("MAC:f8:3a:6f:2c:6e:9f", "mac", "f8:3a:6f:2c:6e:9f");
    check_found("device:CE:5B:78:8E:27:4B", "mac", "CE:5B:78:8E:27:4B");
    check_found("version 2 runs on 203.0.113.7", "ip", "203.0.113.7");
    check_clean("ab:f8:3a:6f:2c:6e:9f");
    check_clean("face:8896:acd4:f61e:210e:df68:6181:d7f7:b5c9");
    check_clean("crate::a::b2");
    check_clean("version 17.8.3.7");
    check_clean("id version 19.3.3.5 done");
    check_clean("(version 5.4.6.8)");
    check_clean("Version=4.0.0.0, Culture=neutral");
    check_clean("{\\\"version\\\": \\\"5.4.6.8\\\"}");
    check_clean("ver 1.2.3.4, build: 1.2.3.4");
    check_clean("x[1::2], y[10::20]");
    check_clean("__version__ = \"3.5.0.1\"");
    check_clean(
        "RFC 5890 \xC2\xA7"
        "2.3.2.1"
    );
    check_clean("see section 4.3.2.1 and \xC2\xA7 4.3.2.1");
    check_clean("v1.2.3.4");
    check_clean("Chrome/120.0.0.0");
    check_clean("1.2.3");
    check_clean("1.2.3.4.5");
    check_clean("300.1.1.1");
    check_clean("127.0.0.1");
    check_clean("12:34:56");
    check_clean("std::string");
    check_clean("a::b");
}

TEST_CASE("random values are secrets only beside a telling key") {
    constexpr std::string_view secret = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
    check_clean(secret);
    check_found("aws_secret_access_key=" + std::string(secret), "entropy", secret);
    check_found("{\"client_secret\": \"" + std::string(secret) + "\"}", "entropy", secret);
    check_found("{\\\"client_secret\\\": \\\"" + std::string(secret) + "\\\"}", "entropy", secret);
    check_found("key=" + std::string(secret), "entropy", secret);
    check_found("password=hunter2", "connection_string", "hunter2");
    check_found("\"password\": \"hunter2\"", "entropy", "hunter2");
    check_clean("max_tokens: 4096");
    check_clean("password: please enter it");
    check_clean("password=***");
    check_clean("password: ***.");
    check_clean("password: ***, then");
    check_clean("(password: ***)");
    check_clean("password=xxxxxxxx");
    check_clean("password: none.");
    check_clean("password: Optional[str] = None");
    check_clean("password: The one that you chose");
    check_found("password: Hunter\n", "entropy", "Hunter");
    check_found("password: hunter2.", "entropy", "hunter2.");
    check_clean("cache_key=6ba7b810-9dad-11d1-80b4-00c04fd430c8");
    check_clean("key=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    CHECK(findings_of(secret, hints_of("x-api-key")).size() == 1);
    CHECK(findings_of("hunter2", hints_of("db.password")).size() == 1);
    CHECK(findings_of("4155550132", hints_of("phone_number")).size() == 1);
    CHECK(findings_of("078051120", hints_of("ssn")).size() == 1);
}

TEST_CASE("what agents write everywhere is clean") {
    for (const std::string_view text :
         {"gpt-4.1-mini-2025-04-14",
          "claude-3-5-sonnet-20241022",
          "chatcmpl-AbCdEf0123456789ghijKLMNOPQRS",
          "call_8aa5bf98",
          "call_AbCdEf0123456789ghijKLMN",
          "toolu_01A09q90qw90lq917835lq9",
          "msg_01XFDUDYJgAACzvnptvVoYEL",
          "4bf92f3577b34da6a3ce929d0e0e4736",
          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
          "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
          "2024-05-01T10:11:12.123456789Z",
          "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
          "resp_68a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
          "SKU-4711-0815",
          "The total is 1,234.56 EUR for 3 items (invoice 2024/000123).",
          "HTTP/1.1 200 OK",
          "text-embedding-3-small",
          "/v1/chat/completions?api-version=2024-06-01",
          "user_id: 42, session: abc-def",
          "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-v2:1"}) {
        check_clean(text);
    }
}

TEST_CASE("encoded values are decoded once") {
    check_found("q=4111%201111%201111%201111&x", "card", "4111%201111%201111%201111");
    check_found("tel=%2B1-415-555-0132&x", "phone", "%2B1-415-555-0132");
    check_found("n=4111+1111+1111+1111%20", "card", "4111+1111+1111+1111");
    check_found("amFuZS5kb2VAZXhhbXBsZS5jb20=", "email", "amFuZS5kb2VAZXhhbXBsZS5jb20=");
    check_clean("amFuZS5kb2UgYXQgZXhhbXBsZS5j");
    check_clean("50%25 of 100%");
}

TEST_CASE("full-width addresses are found") {
    constexpr std::string_view address =
        "jane\xEF\xBC\xA0"
        "example.com";
    check_found(address, "email", address);
    constexpr std::string_view wide =
        "\xEF\xBD\x8A\xEF\xBC\xA0\xEF\xBD\x85\xEF\xBC\x8E\xEF\xBD\x83";
    check_found(wide, "email", wide);
}

TEST_CASE("more vendors' keys are found") {
    for (const std::string_view key :
         {"ya29.abcdefghijklmnopqrstuvwxyz0123",
          "ASIAIOSFODNN7EXAMPLE",
          "GOCSPX-abcdefghij0123456789ABCD",
          "abc8Q~abcdefghijklmnopqrstuvwxyz0123456",
          "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
          "pypi-abcdefghijklmnopqrstuvwxyz0123456789ABCDEF",
          "xapp-1-A0123456789-abcdef",
          "glrt-abcdefghij0123456789",
          "figd_abcdefghijklmnopqrstuvwxyz0123456789"}) {
        check_found(key, "vendor_keys", key);
    }
}

// Made up here, so that no scanner takes this file for a leak.
std::string made(std::string_view prefix, std::size_t bytes, std::string_view alphabet) {
    std::string key(prefix);
    for (std::size_t i = 0; i < bytes; ++i)
        key += alphabet[(i * 7 + 3) % alphabet.size()];
    return key;
}

constexpr std::string_view alnum_bytes_of_keys =
    "a1Bc2De3Fg4Hi5Jk6Lm7No8Pq9Rs0TuVwXyZbCdEfGhIjKlMnOpQrStUvWxYz";
constexpr std::string_view hex_bytes_of_keys = "3a1f09c7be42d586";

TEST_CASE("keys of clouds, registries and model vendors are found by their prefix") {
    for (const std::string_view prefix :
         {"hvs.CAESI",  "hvb.AAAAAQ", "AQ.Ab8RN6",  "ABSK",      "glft-",    "glimt-",
          "glagent-",   "gloas-",     "glffct-",    "xoxc-",     "xoxd-",    "sk_prod_",
          "sb_secret_", "vcp_",       "vck_",       "wandb_v1_", "csk-",     "ATATT3xFfGF0",
          "tskey-",     "pnu_",       "lin_oauth_", "ops_eyJ",   "HRKU-AA",  "xkeysib-",
          "secret_",    "LTAI",       "dckr_oat_",  "fm2_",      "pat-na1-", "sntryu_"}) {
        check_whole(made(prefix, 64, alnum_bytes_of_keys), "vendor_keys");
    }
    check_whole(made("ATBB", 32, alnum_bytes_of_keys), "vendor_keys");
    check_whole(made("ABIA", 16, "ABCDEFGHIJ234567"), "vendor_keys");
    const std::string padded = made("bedrock-api-key-", 61, alnum_bytes_of_keys) + "+/=";
    check_found("key " + padded + ", then", "vendor_keys", padded);
    const std::string app_token = "ghs_12345_" + std::string(token);
    check_found("use " + app_token + " now", "vendor_keys", app_token);
    check_clean("the hvs. and hvb. prefixes");
    check_clean("secret_name_of_the_deployment_in_production");
    check_clean("sb_secret_store");
}

TEST_CASE("keys in hexadecimal are found by what stands before them") {
    const std::string databricks = made("dapi", 32, hex_bytes_of_keys);
    check_whole(databricks, "vendor_keys");
    check_whole(databricks + "-2", "vendor_keys");
    check_whole(made("SK", 32, hex_bytes_of_keys), "vendor_keys");
    check_whole(made("dapiabcdefabcdefabcdef", 14, "0123456789"), "vendor_keys");
    const std::string account = made("AC", 32, hex_bytes_of_keys);
    check_found("TWILIO_ACCOUNT_SID=" + account, "vendor_keys", account);
    check_found("twilio: " + account, "vendor_keys", account);
    check_clean(account);
    check_clean(made("", 32, hex_bytes_of_keys));
    check_clean(made("dapi", 31, hex_bytes_of_keys));
    check_clean(made("dapi", 33, hex_bytes_of_keys));
    check_clean(made("xdapi", 32, hex_bytes_of_keys));
    check_clean(made("TASK", 32, hex_bytes_of_keys));
    check_clean(made("task-", 32, hex_bytes_of_keys));
}

TEST_CASE("webhooks are found without their host") {
    const std::string slack = made("T0ABCDEFG/B0ABCDEFG/", 24, alnum_bytes_of_keys);
    check_found("https://hooks.slack.com/services/" + slack, "vendor_keys", slack);
    check_found("POST hooks.slack.com/services/" + slack + " 200", "vendor_keys", slack);
    const std::string discord = made("1234567890123456789/", 68, alnum_bytes_of_keys);
    check_found("https://discord.com/api/webhooks/" + discord, "vendor_keys", discord);
    const std::string trigger = made("4567890123456/", 32, hex_bytes_of_keys);
    check_found("https://hooks.slack.com/triggers/T0ABCDEFG/" + trigger, "vendor_keys", trigger);
    check_clean("https://example.com/services/" + slack);
    check_clean("https://hooks.slack.com/services/T0ABCDEFG/B0ABCDEFG");
    check_clean("https://discord.com/channels/1234567890123456789/1234567890123456789");
}

TEST_CASE("keys of Azure are found by their marks") {
    const std::string api_key =
        made("", 52, alnum_bytes_of_keys) + "JQQJ99" + made("", 26, alnum_bytes_of_keys);
    check_whole(api_key, "vendor_keys");
    const std::string storage = made("", 76, alnum_bytes_of_keys) + "+AStabcdeA==";
    check_found("found '" + storage + "'", "vendor_keys", storage);
    const std::string bus = made("", 33, alnum_bytes_of_keys) + "+ASbabcdeA=";
    check_found("(" + bus + ")", "vendor_keys", bus);
    check_clean(made("", 51, alnum_bytes_of_keys) + "JQQJ99" + made("", 26, alnum_bytes_of_keys));
    check_clean(made("", 40, alnum_bytes_of_keys) + "+AStabcdeA==");
}

TEST_CASE("a secret behind an option of a command line is found") {
    check_found("mysql --user app --password hunter2 -e x", "entropy", "hunter2");
    check_found("login --password 'two words'", "entropy", "two words");
    check_found("tool --auth-token 0a1b2c3d4e5f60718293 run", "entropy", "0a1b2c3d4e5f60718293");
    check_clean("login --password-stdin registry.example.com");
    check_clean("use --password to set the password");
    check_clean("--password $DB_PASSWORD --host db");
    check_clean("--password --host db");
    check_clean("--token-file /run/secrets/token-of-the-app-2024");
    check_clean("--private-key ~/.ssh/id_ed25519_of_the_host_2024");
    check_clean("--max-tokens 4096");
}

// The known limits of README.md, so that it is seen when one falls.
TEST_CASE("a secret in two pieces is not put together") {
    check_clean("[\"Bearer\",\"0123456789abcdef\"]");
    check_clean("[\"--password\",\"hunter2\"]");
    check_clean("{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}");
    check_clean("[\"sk-proj-abcdefghij\",\"0123456789ABCDEFGHIJ\"]");
}

TEST_CASE("a detector that is off finds nothing, and only it") {
    const std::string_view text = "jane.doe@example.com 4111111111111111";
    CHECK(
        findings_of(text, {}, all_detectors & ~bit(Detector::email)) ==
        std::vector<Found>{{"card", "4111111111111111"}}
    );
    CHECK(
        findings_of(text, {}, bit(Detector::email)) ==
        std::vector<Found>{{"email", "jane.doe@example.com"}}
    );
    CHECK(findings_of(text, {}, 0).empty());
}

TEST_CASE("ids are spared the detectors without a checksum") {
    CHECK(findings_of("415-555-0132", {}, id_detectors).empty());
    CHECK(findings_of("10.0.0.1", {}, id_detectors).empty());
    CHECK(findings_of("token=0123456789abcdefABCDEF", {}, id_detectors).empty());
    CHECK(findings_of("jane.doe@example.com", {}, id_detectors).size() == 1);
    CHECK(findings_of("4111111111111111", {}, id_detectors).size() == 1);
}

}  // namespace
}  // namespace spangate
