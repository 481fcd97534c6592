// Short makers for the description of settings; included by the describe_*.cc files alone.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/setting.h"

namespace spangate::setting {

[[nodiscard]] inline Setting flag(std::string_view key, bool& value, std::string_view doc) {
    return {key, doc, Flag{&value}};
}

struct CountRange {
    std::uint32_t least;
    std::uint32_t most;
};

[[nodiscard]] inline Setting count(
    std::string_view key, std::uint32_t& value, CountRange range, std::string_view doc
) {
    return {key, doc, Count{&value, range.least, range.most}};
}

struct RealRange {
    double least;
    double most;
};

[[nodiscard]] inline Setting real(
    std::string_view key, double& value, RealRange range, std::string_view doc
) {
    return {key, doc, Real{&value, range.least, range.most}};
}

struct SizeRange {
    Bytes least;
    Bytes most;
};

[[nodiscard]] inline Setting size(
    std::string_view key, Bytes& value, SizeRange range, std::string_view doc
) {
    return {key, doc, Size{&value, range.least, range.most}};
}

struct DurationRange {
    Millis least;
    Millis most;
};

[[nodiscard]] inline Setting duration(
    std::string_view key, Millis& value, DurationRange range, std::string_view doc
) {
    return {key, doc, Duration{&value, range.least, range.most}};
}

[[nodiscard]] inline Setting text(std::string_view key, std::string& value, std::string_view doc) {
    return {key, doc, Text{&value, {}}};
}

[[nodiscard]] inline Setting choice(
    std::string_view key,
    std::string& value,
    std::vector<std::string_view> allowed,
    std::string_view doc
) {
    return {key, doc, Text{&value, std::move(allowed)}};
}

[[nodiscard]] inline Setting secret(std::string_view key, Secret& value, std::string_view doc) {
    return {key, doc, SecretText{&value}};
}

[[nodiscard]] inline Setting list(
    std::string_view key, std::vector<std::string>& value, std::string_view doc
) {
    return {key, doc, TextList{&value, {}}};
}

[[nodiscard]] inline Setting choices(
    std::string_view key,
    std::vector<std::string>& value,
    std::vector<std::string_view> allowed,
    std::string_view doc
) {
    return {key, doc, TextList{&value, std::move(allowed)}};
}

[[nodiscard]] inline Setting free_map(
    std::string_view key, std::map<std::string, std::string>& value, std::string_view doc
) {
    return {key, doc, TextMap{&value}};
}

[[nodiscard]] inline Setting group(
    std::string_view key, std::string_view doc, std::vector<Setting> settings
) {
    return {key, doc, Group{std::move(settings)}};
}

}  // namespace spangate::setting

namespace spangate {

// The parts of describe(Config&).
[[nodiscard]] Setting describe_receivers(ReceiversConfig& receivers);
[[nodiscard]] Setting describe_processors(Config& config);
[[nodiscard]] Setting describe_exporters(ExportersConfig& exporters);
[[nodiscard]] Setting describe_guard(GuardConfig& guard);

}  // namespace spangate
