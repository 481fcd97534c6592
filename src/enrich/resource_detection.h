// What the gateway's own surroundings say about the agents beside it (a sidecar shares its pod with
// them): OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME (OpenTelemetry specification, «Resource
// SDK»), and Kubernetes' downward API as variables and files.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace spangate {

// Attribute keys and values, in key order, each key once.
struct DetectedResource {
    std::vector<std::pair<std::string, std::string>> attributes;
};

// Where detection looks; tests give their own.
struct Surroundings {
    // The value of an environment variable, or null.
    std::function<const char*(const char*)> variable;
    std::string pod_info_directory = "/etc/podinfo";  // where the downward-API volume is mounted
};

[[nodiscard]] Surroundings process_surroundings();

// Runs the detectors that `resource_detection` lists (`env`, `k8s`); what two of them know, the
// earlier one decides. Read once at start; never fails, what cannot be read is not known.
[[nodiscard]] DetectedResource detect_resource(const EnrichConfig& config);
[[nodiscard]] DetectedResource detect_resource(
    const EnrichConfig& config, const Surroundings& surroundings
);

}  // namespace spangate
