// What two runs say differently without meaning something different: times, ids made up for each
// run, cursors. Content is JSON or text; JSON is compared by its values, whatever the order of
// keys.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace spangate {

// One scalar of a content. Text in JSON in a string is unwrapped once.
struct ContentValue {
    std::string path;  // «items[2].price»; empty: the content is no JSON
    std::string text;  // strings as they are, numbers in one form, true, false, null, {}, []
};

class ContentReader {
  public:
    ContentReader();
    ~ContentReader();

    // Sorted by path; valid until the next call.
    [[nodiscard]] const std::vector<ContentValue>& values_of(std::string_view content);

  private:
    struct Parsers;
    std::unique_ptr<Parsers> parsers_;
    std::vector<ContentValue> values_;
};

// Where each value of a run stood first, and whether that was in a step's output.
class RunValues {
  public:
    struct Place {
        std::uint32_t step = 0;
        bool is_output = false;
    };

    // Short and common values («ok», 3, true) say nothing about where they come from; they are
    // passed over. The ids inside a text are values of their own.
    void add(const std::vector<ContentValue>& values, Place place);

    [[nodiscard]] const Place* first(std::string_view value) const;

    // Whether a value is told apart enough to have come from somewhere.
    [[nodiscard]] static bool is_telling(std::string_view value);

  private:
    void add_value(std::string_view value, Place place);

    std::unordered_map<std::uint64_t, Place> first_;
};

enum class ContentMatch : std::uint8_t { equal, noise, different };

struct ContentDifference {
    std::string path;
    std::string left;  // empty: not there
    std::string right;
};

// An id is noise when it occurs in its own run only, and when it stands where the other run has the
// same other one each time.
class NoiseMask {
  public:
    // Both outlive it.
    NoiseMask(const RunValues& left, const RunValues& right) : left_(left), right_(right) {}

    // `differences` gets what is no noise.
    [[nodiscard]] ContentMatch compare(
        const std::vector<ContentValue>& left,
        const std::vector<ContentValue>& right,
        std::vector<ContentDifference>& differences
    );

    // What was set aside, in words and with counts; empty when nothing was.
    [[nodiscard]] std::vector<std::string> told() const;

  private:
    enum class Noise : std::uint8_t { time, id, key };
    using Ids = std::vector<std::pair<std::string, std::string>>;

    struct Tentative {
        Ids ids;
        std::set<std::string> keys;
        std::array<std::uint64_t, 3> counts{};
    };

    [[nodiscard]] bool is_noise(
        const ContentValue& left, const ContentValue& right, Tentative& found
    ) const;
    [[nodiscard]] bool is_renamed(const std::string& left, const std::string& right, const Ids& ids)
        const;
    void keep(Tentative& found);

    const RunValues& left_;
    const RunValues& right_;
    std::unordered_map<std::string, std::string> renamed_;  // of the left run → of the right one
    std::unordered_map<std::string, std::string> renamed_back_;
    std::set<std::string> keys_;
    std::array<std::uint64_t, 3> counts_{};
};

// A text with its times and ids taken out.
struct BareText {
    std::string text;  // U+0001 where an id stood, U+0002 where a time stood
    std::vector<std::string> ids;
    std::vector<std::string> times;
};

[[nodiscard]] BareText bare_text_of(std::string_view text);

// Whether what stands there differs in each run by its nature: «created_at», «requestId».
[[nodiscard]] bool is_noise_path(std::string_view path);

}  // namespace spangate
