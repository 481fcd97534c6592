#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "config/load_config.h"
#include "config/setting.h"

namespace spangate {
namespace {

std::string content_of(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    REQUIRE(stream);
    std::ostringstream content;
    content << stream.rdbuf();
    return content.str();
}

Config loaded(std::string_view text) {
    const auto config = load_config_text(text, "t.yaml");
    if (!config) {
        for (const ConfigFault& fault : config.error()) {
            UNSCOPED_INFO(fault.place << ": " << fault.message);
        }
    }
    REQUIRE(config.has_value());
    return *config;
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

void collect_keys(const Group& group, const std::string& indent, std::vector<std::string>& lines) {
    for (const Setting& setting : group.settings) {
        lines.push_back("\n" + indent + std::string(setting.key) + ":");
        if (const auto* inner = std::get_if<Group>(&setting.shape)) {
            collect_keys(*inner, indent + "  ", lines);
        }
    }
}

}  // namespace

TEST_CASE("the reference in config/ is what the program says (else: update_config_files)") {
    CHECK(content_of(SPANGATE_SOURCE_DIR "/config/spangate.reference.yaml") == config_reference());
    CHECK(content_of(SPANGATE_SOURCE_DIR "/config/spangate.schema.json") == config_json_schema());
}

TEST_CASE("the reference loads back to the defaults") {
    CHECK(print_config(loaded(config_reference())) == print_config(loaded("")));
}

TEST_CASE("the reference and the schema have every key") {
    Config config;
    std::vector<std::string> lines;
    collect_keys(describe(config), "", lines);
    const std::string reference = config_reference();
    const std::string schema = config_json_schema();

    CHECK(lines.size() > 100);
    for (const std::string& line : lines) {
        CAPTURE(line);
        CHECK(contains(reference, line));
        const std::size_t start = line.find_first_not_of("\n ");
        CHECK(contains(schema, "\"" + line.substr(start, line.size() - start - 1) + "\": {"));
    }
}

TEST_CASE("comments of the reference fit 100 columns") {
    std::istringstream lines(config_reference());
    for (std::string line; std::getline(lines, line);) {
        CHECK(line.size() <= 100);
    }
}

TEST_CASE("print masks secrets, and what may be one in a free map") {
    Config config;
    config.redact.hash_key = Secret("hunter2-hunter2-hunter2");
    config.exporters.kafka.sasl.password = Secret("hunter2");
    config.exporters.kafka.sasl.oauth["client_secret"] = "hunter2";
    config.exporters.kafka.librdkafka["Sasl.Password"] = "hunter2";

    const std::string text = print_config(config);
    CHECK_FALSE(contains(text, "hunter2"));
    CHECK(contains(text, "hash_key: \"***\""));
    CHECK(contains(text, "client_secret: \"***\""));
}

TEST_CASE("what is printed loads back, whatever the text") {
    Config config = loaded("");
    config.enrich.env = "a \"b\" \\ ${env:X} $$ \n\t# c: d";
    config.enrich.attributes = {{"k: \"x\"", "v"}, {"true", "null"}, {"n", "12"}, {"e", ""}};
    config.receivers.http_path_prefixes = {"/a,b", "/[c]", "/ d"};
    config.redact.patterns = {{"p", "^[a-z]{2}, \"x\"$", "keep_last4"}};
    config.interpret.gateway_name = "grün – ж";

    const Config back = loaded(print_config(config));
    CHECK(back.enrich.env == config.enrich.env);
    CHECK(back.enrich.attributes == config.enrich.attributes);
    CHECK(back.receivers.http_path_prefixes == config.receivers.http_path_prefixes);
    CHECK(back.redact.patterns[0].regex == config.redact.patterns[0].regex);
    CHECK(back.interpret.gateway_name == config.interpret.gateway_name);
    CHECK(print_config(back) == print_config(config));
}

}  // namespace spangate
