// What the tests of views share: a view written into a string, and stories that mean harm.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "replay/replay.h"
#include "support/timeline_for_test.h"

namespace spangate {

using WriteView = void (*)(Timeline&, const ReplayView&, std::ostream&);

[[nodiscard]] inline std::string written(
    WriteView write, Timeline& timeline, const ReplayView& view
) {
    std::ostringstream out;
    write(timeline, view, out);
    return out.str();
}

[[nodiscard]] inline std::string golden(const std::string& name) {
    std::ifstream file(SPANGATE_SOURCE_DIR "/tests/replay/golden/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// Steers terminals, ends scripts, turns lines around, and is long.
inline const std::string hostile_text =
    "\x1b[2J\x1b]0;owned\x07\r\n</script><b>\xe2\x80\xae\xe2\x81\xa6 \xc2\x9b" "31m \xff\"\\";

[[nodiscard]] inline Timeline hostile_story() {
    TimelineForTest story("sess_" + hostile_text);
    story.decision(hostile_text, hostile_text, {hostile_text, "other"});
    story.tool(hostile_text, hostile_text, EventOutcome::error);
    story.last_event().error_class = story.text(hostile_text);
    std::string quoted;
    for (const char c : hostile_text.substr(0, hostile_text.size() - 3)) {
        const auto byte = static_cast<unsigned char>(c);
        constexpr std::string_view digits = "0123456789abcdef";
        if (byte < 0x20) {
            quoted += std::string("\\u00") + digits[byte >> 4U] + digits[byte & 15U];
        } else {
            quoted += c;
        }
    }
    story.detail(
        R"({"attributes":{"gen_ai.tool.call.arguments":")" + quoted +
        R"(","gen_ai.tool.call.result":")" + std::string(1 << 20U, 'x') + "\"}}"
    );
    story.state(hostile_text);
    story.policy(hostile_text, "stop", hostile_text);
    story.handoff(hostile_text, "other");
    story.add(StepKind::termination, EventType::termination, "other", 0.0);
    story.last_event().termination_reason = story.text(hostile_text);
    story.finding(FindingKind::gap, Severity::critical, 1, "gap " + hostile_text);
    return story.finish();
}

// Whether bytes are there that a terminal would act on.
[[nodiscard]] inline bool steers_terminal(const std::string& text) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte < 0x20 && c != '\n') || byte == 0x7f) return true;
    }
    for (const char* const mark : {"\xe2\x80\xae", "\xe2\x81\xa6", "\xc2\x9b", "\xff"}) {
        if (text.find(mark) != std::string::npos) return true;
    }
    return false;
}

}  // namespace spangate
