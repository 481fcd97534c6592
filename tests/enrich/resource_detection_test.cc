#include "enrich/resource_detection.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <unistd.h>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

using Variables = std::map<std::string, std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

class Pod {
  public:
    explicit Pod(Variables variables = {}) : variables_(std::move(variables)) {
        directory_ = std::filesystem::temp_directory_path() /
                     ("spangate-podinfo-" + std::to_string(::getpid()));
        std::filesystem::create_directories(directory_);
    }

    Pod(const Pod&) = delete;
    Pod& operator=(const Pod&) = delete;

    ~Pod() { std::filesystem::remove_all(directory_); }

    void has_file(const std::string& name, const std::string& text) const {
        std::ofstream(directory_ / name) << text;
    }

    [[nodiscard]] Pairs detected(std::vector<std::string> detectors = {"env", "k8s"}) const {
        EnrichConfig config;
        config.resource_detection = std::move(detectors);
        Surroundings surroundings;
        surroundings.variable = [this](const char* name) -> const char* {
            const auto found = variables_.find(name);
            return found == variables_.end() ? nullptr : found->second.c_str();
        };
        surroundings.pod_info_directory = directory_.string();
        return detect_resource(config, surroundings).attributes;
    }

  private:
    Variables variables_;
    std::filesystem::path directory_;
};

}  // namespace

TEST_CASE("OTEL_RESOURCE_ATTRIBUTES is read as a percent-encoded list") {
    const Pod pod(Variables{{"OTEL_RESOURCE_ATTRIBUTES", " a = 1 ,b=x%2Cy%20z,nonsense,=4,c=100%,a=2"}});
    CHECK(pod.detected() == Pairs{{"a", "2"}, {"b", "x,y z"}, {"c", "100%"}});
}

TEST_CASE("OTEL_SERVICE_NAME wins over service.name in the list") {
    const Pod pod(
        Variables{{"OTEL_RESOURCE_ATTRIBUTES", "service.name=listed"}, {"OTEL_SERVICE_NAME", "named"}}
    );
    CHECK(pod.detected() == Pairs{{"service.name", "named"}});
}

TEST_CASE("downward-API variables become k8s attributes, in both spellings") {
    const Pod pod(
        Variables{{"POD_NAME", "agent-7"},
         {"K8S_NAMESPACE", "prod"},
         {"NODE_NAME", "node-1"},
         {"POD_UID", "u"},
         {"POD_IP", "10.0.0.7"},
         {"K8S_POD_NAME", "ignored"}}
    );
    CHECK(
        pod.detected() ==
        Pairs{
            {"k8s.namespace.name", "prod"},
            {"k8s.node.name", "node-1"},
            {"k8s.pod.ip", "10.0.0.7"},
            {"k8s.pod.name", "agent-7"},
            {"k8s.pod.uid", "u"}}
    );
}

TEST_CASE("pod files give labels and annotations, and damage in them is passed over") {
    const Pod pod;
    pod.has_file("labels", "app=\"chat\"\nbroken\ntier=\"a \\\"b\\\" \\\\ c\"\nopen=\"x\n=\"y\"\n");
    pod.has_file("annotations", "note=\"two\\nlines\"\n");
    CHECK(
        pod.detected() ==
        Pairs{
            {"k8s.pod.annotation.note", "two\nlines"},
            {"k8s.pod.label.app", "chat"},
            {"k8s.pod.label.tier", "a \"b\" \\ c"}}
    );
}

TEST_CASE("labels are bounded in number and size") {
    const Pod pod;
    std::string text = "huge=\"" + std::string(5'000, 'x') + "\"\n";
    for (int i = 0; i < 500; ++i)
        text += "label" + std::to_string(i) + "=\"v\"\n";
    pod.has_file("labels", text);
    CHECK(pod.detected().size() == 64);
}

TEST_CASE("the earlier detector decides, and one that is not listed does not run") {
    const Pod pod(Variables{{"OTEL_RESOURCE_ATTRIBUTES", "k8s.pod.name=told"}, {"POD_NAME", "seen"}});
    CHECK(pod.detected({"env", "k8s"}) == Pairs{{"k8s.pod.name", "told"}});
    CHECK(pod.detected({"k8s", "env"}) == Pairs{{"k8s.pod.name", "seen"}});
    CHECK(pod.detected({}).empty());
}

}  // namespace spangate
