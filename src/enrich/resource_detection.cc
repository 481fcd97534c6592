#include "enrich/resource_detection.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>

namespace spangate {
namespace {

// A pod carries few labels; annotations may be long. What lies beyond is left out.
constexpr std::size_t pod_labels_max = 64;
constexpr std::size_t pod_value_bytes_max = 1'024;
constexpr std::size_t pod_file_bytes_max = 256 * 1'024;

using Found = std::map<std::string, std::string, std::less<>>;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

// OTEL_RESOURCE_ATTRIBUTES is percent-encoded (W3C Baggage); a wrong escape stays as it is.
std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low < 0) {
            decoded += text[i];
            continue;
        }
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

void detect_env(const Surroundings& surroundings, Found& found) {
    const char* listed = surroundings.variable("OTEL_RESOURCE_ATTRIBUTES");
    std::string_view rest = listed == nullptr ? std::string_view() : listed;
    while (!rest.empty()) {
        const std::size_t comma = rest.find(',');
        const std::string_view pair = rest.substr(0, comma);
        rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string key = percent_decoded(trimmed(pair.substr(0, equals)));
        if (key.empty()) continue;
        found.insert_or_assign(key, percent_decoded(trimmed(pair.substr(equals + 1))));
    }
    const char* service_name = surroundings.variable("OTEL_SERVICE_NAME");
    if (service_name != nullptr && *service_name != '\0') {
        found.insert_or_assign("service.name", service_name);
    }
}

// A value of a downward-API file: a Go string literal between double quotes.
std::optional<std::string> unquoted(std::string_view literal) {
    if (literal.size() < 2 || literal.front() != '"' || literal.back() != '"') return std::nullopt;
    std::string text;
    for (std::size_t i = 1; i + 1 < literal.size(); ++i) {
        if (literal[i] != '\\' || i + 2 >= literal.size()) {
            text += literal[i];
            continue;
        }
        switch (literal[++i]) {
            case 'n':
                text += '\n';
                break;
            case 't':
                text += '\t';
                break;
            case 'r':
                text += '\r';
                break;
            default:
                text += literal[i];
        }
    }
    return text;
}

// Lines `key="value"` (Kubernetes, «Downward API», volume files).
void read_pod_file(const std::string& path, std::string_view prefix, Found& found) {
    std::ifstream file(path, std::ios::binary);
    std::string line;
    std::size_t bytes_read = 0;
    std::size_t taken = 0;
    while (taken < pod_labels_max && std::getline(file, line)) {
        bytes_read += line.size();
        if (bytes_read > pod_file_bytes_max) return;
        const std::size_t equals = line.find('=');
        if (equals == std::string::npos || equals == 0) continue;
        const std::optional<std::string> value =
            unquoted(trimmed(std::string_view(line).substr(equals + 1)));
        if (!value || value->size() > pod_value_bytes_max) continue;
        found.emplace(std::string(prefix) + line.substr(0, equals), *value);
        ++taken;
    }
}

void detect_kubernetes(const Surroundings& surroundings, Found& found) {
    struct Variable {
        const char* name;
        const char* key;
    };

    // The names that the usual pod templates give to downward-API fields; the first one set wins.
    constexpr std::array<Variable, 15> variables = {{
        {"POD_NAME", "k8s.pod.name"},
        {"K8S_POD_NAME", "k8s.pod.name"},
        {"POD_NAMESPACE", "k8s.namespace.name"},
        {"K8S_NAMESPACE", "k8s.namespace.name"},
        {"K8S_NAMESPACE_NAME", "k8s.namespace.name"},
        {"K8S_POD_NAMESPACE", "k8s.namespace.name"},
        {"NODE_NAME", "k8s.node.name"},
        {"K8S_NODE_NAME", "k8s.node.name"},
        {"POD_UID", "k8s.pod.uid"},
        {"K8S_POD_UID", "k8s.pod.uid"},
        {"POD_IP", "k8s.pod.ip"},
        {"K8S_POD_IP", "k8s.pod.ip"},
        {"CONTAINER_NAME", "k8s.container.name"},
        {"K8S_CONTAINER_NAME", "k8s.container.name"},
        {"K8S_CLUSTER_NAME", "k8s.cluster.name"},
    }};
    for (const Variable& variable : variables) {
        const char* value = surroundings.variable(variable.name);
        if (value != nullptr && *value != '\0') found.emplace(variable.key, value);
    }
    const std::string& directory = surroundings.pod_info_directory;
    read_pod_file(directory + "/labels", "k8s.pod.label.", found);
    read_pod_file(directory + "/annotations", "k8s.pod.annotation.", found);
}

}  // namespace

Surroundings process_surroundings() {
    Surroundings surroundings;
    // Read once, before any thread could change the environment.
    surroundings.variable = [](const char* name) -> const char* {
        return std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    };
    return surroundings;
}

DetectedResource detect_resource(const EnrichConfig& config, const Surroundings& surroundings) {
    Found known;
    for (const std::string& detector : config.resource_detection) {
        Found found;
        if (detector == "env") detect_env(surroundings, found);
        if (detector == "k8s") detect_kubernetes(surroundings, found);
        known.merge(found);
    }
    return {{known.begin(), known.end()}};
}

DetectedResource detect_resource(const EnrichConfig& config) {
    return detect_resource(config, process_surroundings());
}

}  // namespace spangate
