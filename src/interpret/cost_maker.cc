#include "interpret/cost_maker.h"

#include <optional>

namespace spangate {
namespace {

Counter& unpriced(Metrics& metrics, std::string_view reason) {
    return metrics.counter(
        "spangate_cost_unpriced_total",
        "Calls told with tokens that got no cost_usd.",
        {{"reason", reason}}
    );
}

std::string_view text_of(const FieldSetBuilder& fields, FieldId id) {
    const FieldValue* value = fields.find(id);
    return value == nullptr ? std::string_view() : value->text();
}

std::optional<std::int64_t> count_of(const FieldSetBuilder& fields, FieldId id) {
    const FieldValue* value = fields.find(id);
    if (value == nullptr) return std::nullopt;
    return value->integer;
}

// Without a prompt's tokens the sum would be too low, and a wrong cost is worse than none; a
// missing completion is none (embeddings), unless the total tells it.
std::optional<TokenCounts> counts_of(const FieldSetBuilder& fields) {
    std::optional<std::int64_t> prompt = count_of(fields, FieldId::tokens_prompt);
    std::optional<std::int64_t> completion = count_of(fields, FieldId::tokens_completion);
    if (const auto total = count_of(fields, FieldId::tokens_total)) {
        if (!prompt && completion && *total >= *completion) prompt = *total - *completion;
        if (!completion && prompt && *total >= *prompt) completion = *total - *prompt;
    }
    if (!prompt) return std::nullopt;
    TokenCounts counts;
    counts.prompt = *prompt;
    counts.completion = completion.value_or(0);
    counts.cache_read = count_of(fields, FieldId::tokens_cache_read).value_or(0);
    counts.cache_write = count_of(fields, FieldId::tokens_cache_write).value_or(0);
    counts.reasoning = count_of(fields, FieldId::tokens_reasoning).value_or(0);
    // Some count the reasoning beside the completion; the total tells.
    const auto total = count_of(fields, FieldId::tokens_total);
    if (total && *total == counts.prompt + counts.completion + counts.reasoning) {
        counts.completion += counts.reasoning;
    }
    return counts;
}

}  // namespace

CostMaker::CostMaker(const PriceTable& prices, Metrics& metrics)
    : prices_(prices),
      without_model_(unpriced(metrics, "no_model")),
      without_price_(unpriced(metrics, "no_price")),
      without_tokens_(unpriced(metrics, "no_tokens")),
      slots_(std::make_unique<std::array<Slot, slots_count>>()) {}

const Price* CostMaker::price(FieldSetBuilder& fields, WallNanos at) {
    const auto unpriced_by = [](Counter& counter) {
        counter.add();
        return nullptr;
    };
    const std::optional<TokenCounts> counts = counts_of(fields);
    if (!counts) return unpriced_by(without_tokens_);
    const std::string_view model = text_of(fields, FieldId::model);
    if (model.empty()) return unpriced_by(without_model_);
    const Price* price = find(text_of(fields, FieldId::provider), model, at);
    if (price == nullptr) {
        // A provider may answer with a name of its own for what was asked by the list's name.
        const std::string_view asked = text_of(fields, FieldId::model_requested);
        if (!asked.empty() && asked != model) {
            price = find(text_of(fields, FieldId::provider), asked, at);
        }
    }
    if (price == nullptr) return unpriced_by(without_price_);
    fields.put(FieldValue::of_real(FieldId::cost_usd, price->cost_of(*counts)));
    fields.put(FieldValue::of_text(FieldId::cost_source, "computed"));
    fields.put(FieldValue::of_text(FieldId::price_version, prices_.version()));
    return price;
}

const Price* CostMaker::find(std::string_view provider, std::string_view model, WallNanos at) {
    const std::array pieces = {provider, model};
    const MemoryKey key = memory_key(pieces);
    Slot& slot = (*slots_)[key.low % slots_count];
    if (slot.key != key || at < slot.match.valid_from || at >= slot.match.valid_until) {
        slot = {key, prices_.find(provider, model, at)};
    }
    return slot.match.price;
}

}  // namespace spangate
