#include "redact/forms.h"

#include <algorithm>
#include <array>

#include "redact/scan.h"

namespace spangate {
namespace {

constexpr std::size_t span_name_bytes_max = 96;

bool is_plain_span_name_byte(char c) {
    return is_alnum(c) || c == '_' || c == '.' || c == ':' || c == '/' || c == '-';
}

constexpr std::array<std::string_view, 25> operations = {
    "chat",
    "text_completion",
    "generate_content",
    "embeddings",
    "create_agent",
    "invoke_agent",
    "execute_tool",
    "invoke_workflow",
    "plan",
    "retrieval",
    "apply_guardrail",
    "search_memory",
    "create_memory",
    "update_memory",
    "upsert_memory",
    "delete_memory",
    "search_memory_store",
    "create_memory_store",
    "update_memory_store",
    "upsert_memory_store",
    "delete_memory_store",
    "execute_hook",
    "agent_step",
    "execute_task",
    "fetch_response",
};

}  // namespace

bool is_name(std::string_view text) {
    if (text.empty() || text.size() > name_bytes_max) return false;
    std::size_t words = 1;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_id_byte(text[i])) continue;
        const bool is_between = i > 0 && i + 1 < text.size() && text[i - 1] != ' ';
        if (text[i] != ' ' || !is_between || ++words > name_words_max) return false;
    }
    return true;
}

bool is_operational_span_name(std::string_view text) {
    if (!text.empty() && text.size() <= span_name_bytes_max &&
        std::all_of(text.begin(), text.end(), is_plain_span_name_byte)) {
        return true;
    }
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return false;
    const std::string_view object = text.substr(blank + 1);
    return std::find(operations.begin(), operations.end(), text.substr(0, blank)) !=
               operations.end() &&
           !object.empty() && object.size() <= span_name_bytes_max &&
           std::all_of(object.begin(), object.end(), [](char c) {
               return is_plain_span_name_byte(c) || c == '@';
           });
}

}  // namespace spangate
