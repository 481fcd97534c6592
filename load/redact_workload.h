// What redact_bench.cc runs over: captured requests, decoded and interpreted anew for every pass.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "redact/detector.h"
#include "support/capture.h"
#include "support/interpret_context.h"

namespace spangate {

struct Text {
    std::string_view text;
    KeyHints hints;
};

inline void add_value(const Value& value, KeyHints hints, std::vector<Text>& texts) {
    if (value.kind == ValueKind::string) {
        texts.push_back({value.text(), hints});
    } else if (value.kind == ValueKind::array) {
        for (const Value& item : value.array())
            add_value(item, hints, texts);
    } else if (value.kind == ValueKind::kvlist) {
        for (const Attribute& entry : value.kvlist())
            add_value(entry.value, hints_of(entry.key), texts);
    }
}

inline void add_attributes(std::span<const Attribute> attributes, std::vector<Text>& texts) {
    for (const Attribute& attribute : attributes)
        add_value(attribute.value, hints_of(attribute.key), texts);
}

inline void add_span(const SpanView& span, std::vector<Text>& texts) {
    texts.push_back({span.name, {}});
    texts.push_back({span.status_message, {}});
    add_attributes(span.attributes, texts);
    for (const SpanEventView& event : span.events) {
        texts.push_back({event.name, {}});
        add_attributes(event.attributes, texts);
    }
    for (const SpanLinkView& link : span.links)
        add_attributes(link.attributes, texts);
    if (span.is_log()) add_value(span.log->body.value, {}, texts);
}

// Requests as one batch, decoded again for every pass with trace ids that were never told.
class Workload {
  public:
    explicit Workload(std::string name) : name_(std::move(name)), decoder_(limits_) {}

    void add(Signal signal, BodyEncoding encoding, const std::string& bytes) {
        bodies_.push_back({signal, encoding, bytes});
    }

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] EventBatch next_batch(Arena& arena) {
        arena.reset();
        ++generation_;
        SpanBatch batch;
        batch.arena = &arena;
        for (const Source& source : bodies_)
            batch.requests.push_back(decode(source, arena));
        return interpreter_.interpret_batch(std::move(batch));
    }

    // All that detection looks at in one pass.
    [[nodiscard]] std::vector<Text> texts(const EventBatch& events) {
        std::vector<Text> texts;
        for (const AgentItem& item : events.items) {
            if (item.source != EventSource::gateway) add_span(*item.span, texts);
        }
        std::erase_if(texts, [](const Text& text) { return text.text.empty(); });
        return texts;
    }

  private:
    struct Source {
        Signal signal;
        BodyEncoding encoding;
        std::string bytes;
    };

    // The interpret room; the context of the tests keeps every batch, this one keeps none.
    class Interpreting {
      public:
        Interpreting()
            : conventions_(*load_conventions(builtin_conventions(), "conventions.yaml")),
              prices_(*load_prices(builtin_prices(), "prices.yaml")),
              key_("a key for benchmarks"),
              sessions_(config_.session_memory),
              usages_(config_.usage_memory),
              enricher_({}, DetectedResource{}),
              interpreter_(config_, {conventions_, prices_}, key_, sessions_, usages_, metrics_) {}

        [[nodiscard]] EventBatch interpret_batch(SpanBatch&& batch) {
            return interpreter_.interpret(enricher_.enrich(std::move(batch)));
        }

      private:
        InterpretConfig config_;
        std::shared_ptr<const Conventions> conventions_;
        std::shared_ptr<const PriceTable> prices_;
        HashKey key_;
        Metrics metrics_;
        SessionMemory sessions_;
        UsageMemory usages_;
        Enricher enricher_;
        Interpreter interpreter_;
    };

    [[nodiscard]] DecodedRequest decode(const Source& source, Arena& arena) {
        DecodedRequest request;
        request.raw.signal = source.signal;
        request.raw.encoding = source.encoding;
        request.raw.received_at = received_at_for_test;
        request.raw.body.append(source.bytes);
        Result<DecodedItems> decoded = decoder_.decode(request.raw, arena);
        if (!decoded) throw std::runtime_error(decoded.error().message);
        request.spans = decoded->spans;
        request.keep_alive = std::move(decoded->keep_alive);
        for (SpanView& span : request.spans) {
            for (std::size_t i = 0; i < sizeof generation_; ++i)
                span.trace_id[i] ^= static_cast<std::uint8_t>(generation_ >> (8 * i));
        }
        return request;
    }

    std::string name_;
    ReceiverLimits limits_;
    Decoder decoder_;
    std::vector<Source> bodies_;
    Interpreting interpreter_;
    std::uint64_t generation_ = 0;
};

inline void add_payload(Workload& workload, const std::filesystem::path& root) {
    workload.add(
        Signal::traces, BodyEncoding::protobuf, file_text(root / "load/payload/agent64.pb")
    );
}

inline void add_captures(Workload& workload, const std::filesystem::path& root) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root / "tests/captures")) {
        const std::string name = entry.path().filename().string();
        const bool is_traces = name.find(".traces.") != std::string::npos;
        const bool is_logs = name.find(".logs.") != std::string::npos;
        if ((!is_traces && !is_logs) || name.ends_with(".headers.json")) continue;
        const std::string bytes = gunzipped(file_text(entry.path()));
        const bool is_json = bytes.starts_with('{');
        workload.add(
            is_traces ? Signal::traces : Signal::logs,
            is_json ? BodyEncoding::json : BodyEncoding::protobuf,
            bytes
        );
    }
}

}  // namespace spangate
