#include "replay/diff_noise.h"

#include <algorithm>
#include <iterator>

#include <xxhash.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace spangate {
namespace {

// Names of what differs in each run, without `_`, `-` and capitals.
const std::set<std::string, std::less<>> noise_keys = {
    "callid",     "calledat",      "correlationid",  "createdat", "cursor",    "duration",
    "durationms", "durations",     "elapsed",        "elapsedms", "endedat",   "endtime",
    "etag",       "expiresat",     "idempotencykey", "latency",   "latencyms", "messageid",
    "nextcursor", "nextpagetoken", "nonce",          "pagetoken", "requestid", "responseid",
    "runid",      "sessionid",     "spanid",         "startedat", "starttime", "timestamp",
    "toolcallid", "tookms",        "traceid",        "ts",        "updatedat", "xrequestid",
};

constexpr std::size_t telling_bytes_min = 4;
constexpr std::size_t differences_max = 64;  // told of one content

// «items[2].createdAt» → «createdat».
std::string key_of(std::string_view path) {
    const std::size_t dot = path.rfind('.');
    if (dot != std::string_view::npos) path.remove_prefix(dot + 1);
    path = path.substr(0, path.find('['));
    std::string key;
    for (const char c : path) {
        if (c != '_' && c != '-') key += ascii_lower(c);
    }
    return key;
}

bool is_common(std::string_view value) {
    static const std::set<std::string_view> words = {
        "null",
        "true",
        "false",
        "user",
        "assistant",
        "system",
        "tool",
        "text",
        "function",
        "object",
        "string",
        "error",
        "success",
        "failed",
        "pending",
        "done",
        "none"};
    return words.contains(value);
}

}  // namespace

bool is_noise_path(std::string_view path) {
    return noise_keys.contains(key_of(path));
}

bool RunValues::is_telling(std::string_view value) {
    if (value.size() < telling_bytes_min || is_common(value)) return false;
    return true;
}

void RunValues::add(const std::vector<ContentValue>& values, Place place) {
    for (const ContentValue& value : values) {
        add_value(value.text, place);
        for (const std::string& id : bare_text_of(value.text).ids)
            add_value(id, place);
    }
}

void RunValues::add_value(std::string_view value, Place place) {
    if (is_telling(value)) first_.try_emplace(XXH3_64bits(value.data(), value.size()), place);
}

const RunValues::Place* RunValues::first(std::string_view value) const {
    if (!is_telling(value)) return nullptr;
    const auto found = first_.find(XXH3_64bits(value.data(), value.size()));
    return found == first_.end() ? nullptr : &found->second;
}

bool NoiseMask::is_renamed(const std::string& left, const std::string& right, const Ids& ids)
    const {
    if (left == right) return true;
    if (right_.first(left) != nullptr || left_.first(right) != nullptr) return false;
    const auto known = renamed_.find(left);
    if (known != renamed_.end()) return known->second == right;
    if (renamed_back_.contains(right)) return false;
    return std::all_of(ids.begin(), ids.end(), [&](const auto& other) {
        return (other.first == left) == (other.second == right);
    });
}

bool NoiseMask::is_noise(const ContentValue& left, const ContentValue& right, Tentative& found)
    const {
    const std::string key = key_of(left.path);
    if (noise_keys.contains(key)) {
        found.keys.insert(key);
        ++found.counts[static_cast<std::size_t>(Noise::key)];
        return true;
    }
    const BareText bare_left = bare_text_of(left.text);
    const BareText bare_right = bare_text_of(right.text);
    if (bare_left.text != bare_right.text) return false;
    for (std::size_t i = 0; i < bare_left.ids.size(); ++i) {
        if (!is_renamed(bare_left.ids[i], bare_right.ids[i], found.ids)) return false;
        if (bare_left.ids[i] == bare_right.ids[i]) continue;
        found.ids.emplace_back(bare_left.ids[i], bare_right.ids[i]);
        ++found.counts[static_cast<std::size_t>(Noise::id)];
    }
    if (bare_left.times != bare_right.times) ++found.counts[static_cast<std::size_t>(Noise::time)];
    return true;
}

ContentMatch NoiseMask::compare(
    const std::vector<ContentValue>& left,
    const std::vector<ContentValue>& right,
    std::vector<ContentDifference>& differences
) {
    Tentative found;
    bool is_equal = true;
    bool is_different = false;
    const auto differs = [&](const ContentValue* a, const ContentValue* b) {
        is_equal = false;
        if (a != nullptr && b != nullptr && is_noise(*a, *b, found)) return;
        const std::string& path = a != nullptr ? a->path : b->path;
        if ((a == nullptr || b == nullptr) && noise_keys.contains(key_of(path))) {
            found.keys.insert(key_of(path));
            ++found.counts[static_cast<std::size_t>(Noise::key)];
            return;
        }
        is_different = true;
        if (differences.size() == differences_max) return;
        differences.push_back({path, a == nullptr ? "" : a->text, b == nullptr ? "" : b->text});
    };
    auto a = left.begin();
    auto b = right.begin();
    while (a != left.end() || b != right.end()) {
        if (b == right.end() || (a != left.end() && a->path < b->path)) {
            differs(&*a++, nullptr);
        } else if (a == left.end() || b->path < a->path) {
            differs(nullptr, &*b++);
        } else {
            if (a->text != b->text) differs(&*a, &*b);
            ++a;
            ++b;
        }
    }
    if (is_equal) return ContentMatch::equal;
    if (is_different) return ContentMatch::different;
    keep(found);
    return ContentMatch::noise;
}

void NoiseMask::keep(Tentative& found) {
    for (auto& [left, right] : found.ids) {
        renamed_.emplace(left, right);
        renamed_back_.emplace(std::move(right), std::move(left));
    }
    keys_.merge(found.keys);
    for (std::size_t i = 0; i < counts_.size(); ++i)
        counts_[i] += found.counts[i];
}

std::vector<std::string> NoiseMask::told() const {
    std::vector<std::string> told;
    const auto add = [&](Noise noise, const std::string& what) {
        const std::uint64_t count = counts_[static_cast<std::size_t>(noise)];
        if (count > 0) told.push_back(fmt::format("{} ({}x)", what, count));
    };
    add(Noise::time, "times in content");
    add(Noise::id, "ids in content that stand for each other in the two runs");
    add(Noise::key, fmt::format("values of {}", fmt::join(keys_, ", ")));
    return told;
}

}  // namespace spangate
