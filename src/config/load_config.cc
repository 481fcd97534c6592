#include "config/load_config.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "config/read_settings.h"
#include "config/setting.h"
#include "config/substitution.h"
#include "config/validate.h"
#include "config/yaml_tree.h"

namespace spangate {
namespace {

constexpr std::size_t config_bytes_max = std::size_t{4} << 20;
constexpr std::uint32_t config_nodes_max = 100'000;
constexpr std::string_view default_directory = "./spangate-data";

using Faults = std::vector<ConfigFault>;

std::string place_text(std::string_view name, YamlPlace place) {
    return fmt::format("{}:{}:{}", name, place.line, place.column);
}

// parse_yaml puts the place in front of the message.
ConfigFault fault_of(const Error& error, std::string_view name) {
    const std::size_t end = error.message.find(": ", name.size());
    if (end == std::string::npos) return {place_text(name, {1, 1}), error.message};
    return {error.message.substr(0, end), error.message.substr(end + 2)};
}

// Of the key itself, or of the nearest group above it that stands in the document.
YamlPlace place_of(const std::map<std::string, YamlPlace>& places, std::string path) {
    while (true) {
        if (const auto found = places.find(path); found != places.end()) return found->second;
        const std::size_t dot = path.rfind('.');
        if (dot == std::string::npos) return {1, 1};
        path.resize(dot);
    }
}

void add_defaults(Config& config) {
    ExportersConfig& exporters = config.exporters;
    if (exporters.kafka.brokers.empty() && exporters.jsonl.directory.empty()) {
        exporters.jsonl.directory = default_directory;
    }
}

// A setting that could not be read still has its default: what the rules say about that would only
// confuse.
void add_rule_faults(const Config& config, ConfigUse use, SettingsRead& read) {
    std::set<std::string> unread;
    for (const PlacedFault& fault : read.faults) {
        unread.insert(fault.path);
    }
    for (RuleFault& fault : validate(config, use)) {
        if (unread.contains(fault.path)) continue;
        const YamlPlace place = place_of(read.places, fault.path);
        read.faults.push_back({place, std::move(fault.path), std::move(fault.message)});
    }
}

Faults in_order(std::vector<PlacedFault> faults, std::string_view name) {
    std::stable_sort(faults.begin(), faults.end(), [](const PlacedFault& a, const PlacedFault& b) {
        return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
    Faults placed;
    for (const PlacedFault& fault : faults) {
        const std::string_view separator = fault.path.empty() ? "" : ": ";
        placed.push_back(
            {place_text(name, fault.place),
             fmt::format("{}{}{}", fault.path, separator, fault.message)}
        );
    }
    return placed;
}

}  // namespace

tl::expected<Config, Faults> load_config(const std::string& path, ConfigUse use) {
    const Result<std::string> text = read_bounded_file(path, config_bytes_max);
    if (!text) {
        return tl::unexpected<Faults>({{place_text(path, {1, 1}), text.error().message}});
    }
    return load_config_text(*text, path, use);
}

tl::expected<Config, Faults> load_config_text(
    std::string_view text, std::string_view name, ConfigUse use
) {
    const Result<YamlNode> document = parse_yaml(text, name, config_nodes_max);
    if (!document) return tl::unexpected<Faults>({fault_of(document.error(), name)});
    Config config;
    SettingsRead read = read_settings(*document, describe(config));
    add_defaults(config);
    add_rule_faults(config, use, read);
    if (!read.faults.empty()) {
        return tl::unexpected<Faults>(in_order(std::move(read.faults), name));
    }
    return config;
}

}  // namespace spangate
