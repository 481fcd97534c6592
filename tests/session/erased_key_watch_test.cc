#include "session/erased_key_watch.h"

#include <fstream>
#include <mutex>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "support/eventually.h"
#include "support/temporary_directory.h"

namespace spangate {
namespace {

using testing::eventually;

class Heard {
  public:
    [[nodiscard]] ErasedKeyWatch::OnErased listener() {
        return [this](std::string_view key_id) {
            const std::lock_guard lock(mutex_);
            ids_.emplace(key_id);
        };
    }

    [[nodiscard]] bool has(const std::string& key_id) {
        const std::lock_guard lock(mutex_);
        return ids_.contains(key_id);
    }

  private:
    std::mutex mutex_;
    std::set<std::string> ids_;
};

TEST_CASE("ids on the list beside JSONL evidence are heard, in a file that comes later and grows") {
    const TemporaryDirectory directory;
    Heard heard;
    Metrics metrics;
    const auto watch = ErasedKeyWatch::of_files(directory.path(), heard.listener(), metrics);
    std::ofstream file(directory.path() + "/evidence-keys-erased.jsonl");
    file << "{\"key_id\":\"a\"}\n" << std::flush;
    REQUIRE(eventually([&] { return heard.has("a"); }));
    file << "{\"key_id\":\"b\"}\n{\"key_id\":" << std::flush;
    REQUIRE(eventually([&] { return heard.has("b"); }));
    file << "\"c\"}\n" << std::flush;
    REQUIRE(eventually([&] { return heard.has("c"); }));
    CHECK(metrics.counter("spangate_evidence_key_watch_faults_total", "").value() == 0);
}

TEST_CASE("a watch that cannot reach its brokers says so, waits for nobody and ends at once") {
    Heard heard;
    Metrics metrics;
    KafkaConfig config;
    config.sasl.token_file = "/nowhere";
    const auto watch = ErasedKeyWatch::of_topic(config, heard.listener(), metrics);
    CHECK(eventually([&] {
        return metrics.counter("spangate_evidence_key_watch_faults_total", "").value() == 1;
    }));
}

}  // namespace
}  // namespace spangate
