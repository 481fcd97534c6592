#include "enrich/enricher.h"

#include <map>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

using Resources = std::vector<std::vector<std::string_view>>;

// One request with a span per resource; each resource is a list of keys.
class Request {
  public:
    explicit Request(const Resources& resources_keys) {
        for (const auto& keys : resources_keys) {
            auto* resource = arena_.make<ResourceView>();
            resource->attributes = arena_.make_array<Attribute>(keys.size());
            for (std::size_t i = 0; i < keys.size(); ++i) {
                resource->attributes[i].key = keys[i];
                resource->attributes[i].value = Value::of(std::string_view("the client's"));
            }
            spans_.emplace_back();
            spans_.back().resource = resource;
        }
    }

    EnrichedBatch enriched_by(const Enricher& enricher, std::string tenant = {}) {
        SpanBatch batch;
        batch.arena = &arena_;
        batch.requests.emplace_back();
        batch.requests[0].raw.tenant_id = std::move(tenant);
        batch.requests[0].spans = spans_;
        return enricher.enrich(std::move(batch));
    }

  private:
    Arena arena_;
    std::vector<SpanView> spans_;
};

using Pairs = std::map<std::string_view, std::string_view>;

Pairs pairs(std::span<const Attribute> attributes) {
    Pairs pairs;
    for (const Attribute& attribute : attributes) {
        CHECK(attribute.treatment == Treatment::plain);
        pairs.emplace(attribute.key, attribute.value.text());
    }
    return pairs;
}

}  // namespace

TEST_CASE("an authenticated tenant wins over the configured one") {
    EnrichConfig config;
    config.tenant_id = "configured";
    const Enricher enricher(config, {});
    Request request(Resources(1));
    CHECK(request.enriched_by(enricher, "token").facts.at(0).tenant_id == "token");
    CHECK(request.enriched_by(enricher).facts.at(0).tenant_id == "configured");
}

TEST_CASE("without configuration nothing is claimed") {
    const Enricher enricher({}, {});
    Request request(Resources(1));
    const EnrichedBatch batch = request.enriched_by(enricher);
    CHECK(batch.facts.at(0).tenant_id.empty());
    CHECK(batch.facts.at(0).env.empty());
    CHECK(batch.facts.at(0).service_name.empty());
    CHECK(batch.facts.at(0).attributes.empty());
    CHECK(batch.facts.at(0).resource_attributes.empty());
}

TEST_CASE("configured attributes and the environment's name are told of every request") {
    EnrichConfig config;
    config.env = "prod";
    config.attributes = {{"team", "support"}, {"cost_centre", "7"}};
    const Enricher enricher(config, {});
    Request request(Resources{{"team"}});
    const EnrichedBatch batch = request.enriched_by(enricher);
    CHECK(batch.facts.at(0).env == "prod");
    CHECK(pairs(batch.facts.at(0).attributes) == Pairs{{"team", "support"}, {"cost_centre", "7"}});
}

TEST_CASE("detected attributes are told unless every resource of the request has them") {
    const Enricher enricher({}, {{{"k8s.pod.name", "pod"}, {"service.name", "beside"}}});
    Request both(Resources{{"service.name"}, {"service.name", "other"}});
    const EnrichedBatch of_both = both.enriched_by(enricher);
    CHECK(pairs(of_both.facts.at(0).resource_attributes) == Pairs{{"k8s.pod.name", "pod"}});
    CHECK(of_both.facts.at(0).service_name == "beside");

    Request one(Resources{{"service.name"}, {"other"}});
    const EnrichedBatch of_one = one.enriched_by(enricher);
    CHECK(
        pairs(of_one.facts.at(0).resource_attributes) ==
        Pairs{{"k8s.pod.name", "pod"}, {"service.name", "beside"}}
    );
}

}  // namespace spangate
