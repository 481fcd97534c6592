#include "replay/step_content.h"

#include <array>
#include <initializer_list>
#include <span>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "base/json_quote.h"

namespace spangate {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// In the order in which they are looked for. A name that ends in «.**» is a family: all keys that
// begin so, as one object.
constexpr std::array<std::string_view, 22> tool_input_keys = {
    "gen_ai.tool.call.arguments",
    "ai.toolCall.args",
    "tool.parameters",
    "mcp.request.argument",
    "traceloop.entity.input",
    "tool_input",
    "function_args",
    "arguments",
    "args",
    "gcp.vertex.agent.tool_call_args",
    "tool_arguments",
    "langfuse.observation.input",
    "input.value",
    "gen_ai.prompt",
    "tool_parameters",
    "full_command",
    "gen_ai.input.messages",
    "payload_json",
    "payload",
    "input",
    "request",
    "copilot_chat.hook_input",
};
constexpr std::array<std::string_view, 14> tool_output_keys = {
    "gen_ai.tool.call.result",
    "ai.toolCall.result",
    "mcp.response.value",
    "traceloop.entity.output",
    "tool_output",
    "output",
    "result",
    "gcp.vertex.agent.tool_response",
    "tool_response",
    "langfuse.observation.output",
    "output.value",
    "gen_ai.completion",
    "gen_ai.output.messages",
    "response",
};
constexpr std::array<std::string_view, 21> input_keys = {
    "gen_ai.input.messages",
    "ai.prompt.messages",
    "ai.prompt",
    "llm.input_messages.**",
    "gen_ai.prompt.**",
    "gen_ai.prompt",
    "langfuse.observation.input",
    "request_text",
    "input.value",
    "traceloop.entity.input",
    "gcp.vertex.agent.llm_request",
    "pydantic_ai.all_messages",
    "all_messages_events",
    "gen_ai.retrieval.query.text",
    "gen_ai.task.input",
    "prompt",
    "user_prompt",
    "question",
    "input",
    "gen_ai.system_instructions",
    "system_prompt",
};
constexpr std::array<std::string_view, 18> output_keys = {
    "gen_ai.output.messages",
    "ai.response.text",
    "ai.response.toolCalls",
    "ai.response.object",
    "llm.output_messages.**",
    "gen_ai.completion.**",
    "gen_ai.completion",
    "langfuse.observation.output",
    "response_text",
    "output.value",
    "traceloop.entity.output",
    "gcp.vertex.agent.llm_response",
    "retrieval.documents.**",
    "gen_ai.retrieval.documents",
    "final_result",
    "gen_ai.task.output",
    "response",
    "output",
};
constexpr std::array<std::string_view, 4> error_keys = {
    "exception.message", "error.message", "exception.stacktrace", "error_message"};

std::string as_text(const element& value) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) return std::string(text);
    if (value.is_null()) return {};
    return simdjson::minify(value);
}

bool starts_with_family(std::string_view key, std::string_view family) {
    return family.ends_with(".**") && key.starts_with(family.substr(0, family.size() - 2));
}

std::string family_of(const object& attributes, std::string_view family) {
    std::string made;
    for (const auto field : attributes) {
        if (!starts_with_family(field.key, family)) continue;
        made += made.empty() ? "{" : ",";
        made += json_quote(field.key) + ":" + std::string(simdjson::minify(field.value));
    }
    return made.empty() ? made : made + "}";
}

std::string first_of(const object& attributes, std::span<const std::string_view> keys) {
    for (const std::string_view key : keys) {
        if (key.ends_with(".**")) {
            std::string family = family_of(attributes, key);
            if (!family.empty()) return family;
            continue;
        }
        element value;
        if (attributes.at_key(key).get(value) != simdjson::SUCCESS) continue;
        std::string text = as_text(value);
        if (!text.empty()) return text;
    }
    return {};
}

// A list that is one thing when it has one member, else a JSON array.
class PartList {
  public:
    void add(std::string text, std::string as_member) {
        if (members_.empty()) first_ = std::move(text);
        members_.push_back(std::move(as_member));
    }

    [[nodiscard]] std::string take() && {
        if (members_.size() < 2) return std::move(first_);
        std::string made = "[";
        for (const std::string& member : members_) {
            if (made.size() > 1) made += ',';
            made += member;
        }
        return made + "]";
    }

  private:
    std::string first_;
    std::vector<std::string> members_;
};

// Which side of a step a message event stands on.
enum class Side : std::uint8_t { none, input, output };

Side side_of(std::string_view event_name, bool is_tool) {
    if (event_name == "gen_ai.choice" || event_name == "gen_ai.content.completion" ||
        event_name == "tool.output")
        return Side::output;
    if (event_name == "gen_ai.system.message" || event_name == "gen_ai.user.message" ||
        event_name == "gen_ai.assistant.message" || event_name == "gen_ai.content.prompt")
        return Side::input;
    // A log record of this name is a tool's result; a span event of a tool's call is its arguments.
    if (event_name == "gen_ai.tool.message") return Side::input;
    return is_tool && event_name == "tool.input" ? Side::input : Side::none;
}

// Fills what the attributes did not tell from the span's events.
void add_events(const array& events, bool is_tool, FoundContent& found) {
    PartList inputs;
    PartList outputs;
    for (const element one : events) {
        std::string_view name;
        object attributes;
        if (one["name"].get(name) != simdjson::SUCCESS) continue;
        if (one["attributes"].get(attributes) != simdjson::SUCCESS) continue;
        if (found.error.empty() && name == "exception") {
            found.error = first_of(attributes, error_keys);
        }
        if (name == "gen_ai.client.inference.operation.details") {
            if (found.input.empty()) found.input = first_of(attributes, input_keys);
            if (found.output.empty()) found.output = first_of(attributes, output_keys);
        }
        const Side side = side_of(name, is_tool);
        if (side == Side::none) continue;
        constexpr std::array<std::string_view, 6> body_keys = {
            "content", "message", "gen_ai.prompt", "gen_ai.completion", "tool_calls", "body"};
        std::string text = first_of(attributes, body_keys);
        std::string member = "{\"event\":" + json_quote(name) +
                             ",\"attributes\":" + std::string(simdjson::minify(attributes)) + "}";
        (side == Side::input ? inputs : outputs).add(std::move(text), std::move(member));
    }
    if (found.input.empty()) found.input = std::move(inputs).take();
    if (found.output.empty()) found.output = std::move(outputs).take();
}

// A log record's body: what its event's name says it is, else what came out.
void add_body(const object& record, FoundContent& found) {
    element body;
    if (record.at_key("body").get(body) != simdjson::SUCCESS) return;
    std::string_view name;
    if (record.at_key("event_name").get(name) != simdjson::SUCCESS) name = {};
    const bool is_input = side_of(name, false) == Side::input && name != "gen_ai.tool.message";
    std::string& side = is_input ? found.input : found.output;
    if (side.empty()) side = as_text(body);
}

bool is_output_role(std::string_view role) {
    return role == "tool_result" || role == "completion" || role == "documents";
}

}  // namespace

struct StepContentFinder::State {
    simdjson::dom::parser parser;
};

StepContentFinder::StepContentFinder() : state_(std::make_unique<State>()) {}

StepContentFinder::~StepContentFinder() = default;

FoundContent StepContentFinder::in_detail(std::string_view json, StepKind kind) {
    FoundContent found;
    object record;
    if (state_->parser.parse(json.data(), json.size()).get(record) != simdjson::SUCCESS) {
        return found;
    }
    const bool is_tool = kind == StepKind::tool || kind == StepKind::retry;
    object attributes;
    if (record.at_key("attributes").get(attributes) == simdjson::SUCCESS) {
        found.input = first_of(
            attributes,
            is_tool ? std::span<const std::string_view>(tool_input_keys)
                    : std::span<const std::string_view>(input_keys)
        );
        found.output = first_of(
            attributes,
            is_tool ? std::span<const std::string_view>(tool_output_keys)
                    : std::span<const std::string_view>(output_keys)
        );
        found.error = first_of(attributes, error_keys);
    }
    array events;
    if (record.at_key("events").get(events) == simdjson::SUCCESS) {
        add_events(events, is_tool, found);
    }
    add_body(record, found);
    std::string_view message;
    if (found.error.empty() && record.at_key("status_message").get(message) == simdjson::SUCCESS) {
        found.error = message;
    }
    return found;
}

FoundContent StepContentFinder::in_parts(std::string_view json) {
    FoundContent found;
    array parts;
    if (state_->parser.parse(json.data(), json.size()).get(parts) != simdjson::SUCCESS) {
        return found;
    }
    PartList inputs;
    PartList outputs;
    PartList errors;
    for (const element part : parts) {
        std::string_view role;
        element content;
        if (part["content"].get(content) != simdjson::SUCCESS) continue;
        if (part["role"].get(role) != simdjson::SUCCESS) role = {};
        PartList& side = role == "error" ? errors : is_output_role(role) ? outputs : inputs;
        side.add(as_text(content), simdjson::minify(part));
    }
    found.input = std::move(inputs).take();
    found.output = std::move(outputs).take();
    found.error = std::move(errors).take();
    return found;
}

}  // namespace spangate
