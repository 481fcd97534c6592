#include "redact/text_redactor.h"

#include <algorithm>

#include "base/text.h"
#include "redact/scan.h"

namespace spangate {
namespace {

constexpr std::size_t scratch_bytes_kept_max = 1U << 20;
constexpr std::size_t number_bytes_min = 7;  // of what a detector finds

bool may_be_json(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || first + 1 >= text.size()) return false;
    const char c = text[first];
    if (c == '{' || c == '[') return true;
    const char next = text[first + 1];
    return c == '"' && (next == '{' || next == '[');  // JSON in a JSON string
}

// Whether a match outside of strings is a number or a boolean as a whole.
bool is_json_number(std::string_view text, const Match& match) {
    const auto ends = [&](std::size_t i) {
        const char c = i < text.size() ? text[i] : ',';
        return c == ',' || c == '}' || c == ']' || c == ':' || c == ' ' || c == '\n';
    };
    const std::string_view hit = text.substr(match.begin, match.end - match.begin);
    return match.begin > 0 && !ends(match.begin) && ends(match.end) &&
           (text[match.begin - 1] == ':' || text[match.begin - 1] == ' ' ||
            text[match.begin - 1] == ',' || text[match.begin - 1] == '[') &&
           (std::all_of(hit.begin(), hit.end(), is_digit) || hit == "true" || hit == "false");
}

// One spelling of a value, so that equal ones have one hash: numbers without what parts them,
// addresses in lower case with a plain at sign.
std::string plain_value(RuleId rule, std::string_view match) {
    constexpr DetectorMask numbers =
        bit(Detector::card) | bit(Detector::iban) | bit(Detector::ssn) | bit(Detector::phone);
    const DetectorMask own = rule < detectors_count ? DetectorMask{1} << rule : 0;
    std::string plain;
    for (std::size_t i = 0; i < match.size(); ++i) {
        const std::string_view rest = match.substr(i);
        const bool is_wide = rest.starts_with(wide_at_sign);
        if (own == bit(Detector::email) && (is_wide || rest.starts_with("%40"))) {
            plain += '@';
            i += 2;
        } else if ((own & (numbers | bit(Detector::email))) == 0) {
            plain += match[i];
        } else if (own == bit(Detector::email) || is_alnum(match[i])) {
            plain += ascii_lower(match[i]);
        }
    }
    return plain;
}

// Whether `text` is the start of what append_hash() writes.
bool may_be_hash_token(std::string_view text) {
    return text.starts_with('<') && std::all_of(text.begin() + 1, text.end(), [](char c) {
               return is_alnum(c) || c == '_' || c == '-' || c == ':';
           });
}

void trim_string(std::string& text) {
    if (text.capacity() > scratch_bytes_kept_max) text = std::string();
}

}  // namespace

TextRedactor::TextRedactor(const RuleSet& rules, const HashKey& key)
    : rules_(rules),
      key_(key),
      has_finders_(rules.has_finders()),
      counts_(rules.rules_count(), 0) {}

void TextRedactor::look_at(std::string_view text, KeyHints hints, std::vector<Match>& matches) {
    if (hints.any() || !CleanTexts::fits(text)) {
        rules_.find(text, hints, matches);
        return;
    }
    const CleanTexts::Key key(text);
    if (clean_.has(key)) return;
    rules_.find(text, hints, matches);
    if (matches.empty() && !hints.version) clean_.add(key);
}

// What is clean for all detectors is so for a part of them. The detail asks for all, and mostly for
// the same text.
void TextRedactor::find_in_id(std::string_view text, std::vector<Match>& matches) {
    if (CleanTexts::fits(text)) {
        find(text, {}, matches);
        if (matches.empty()) return;
    }
    rules_.find_in_id(text, matches);
}

bool TextRedactor::redact(std::string_view text, KeyHints hints, std::string& out) {
    return redact_at(text, hints, 0, out);
}

bool TextRedactor::redact_plain(std::string_view text, KeyHints hints, std::string& out) {
    std::vector<Match>& matches = levels_[0].matches;
    find(text, hints, matches);
    if (matches.empty()) return false;
    out.clear();
    append_replaced(text, matches, out);
    return true;
}

bool TextRedactor::redact_at(
    std::string_view text, KeyHints hints, std::size_t level, std::string& out
) {
    if (level + 1 < levels_max && !hints.password && may_be_json(text))
        return redact_json(text, hints, level, out);
    std::vector<Match>& matches = levels_[level].matches;
    find(text, hints, matches);
    if (matches.empty()) return false;
    out.clear();
    append_replaced(text, matches, out);
    return true;
}

bool TextRedactor::redact_json(
    std::string_view text, KeyHints hints, std::size_t level, std::string& out
) {
    Level& scratch = levels_[level];
    // Without escapes the raw text shows the detectors all that its strings hold.
    if (!rules_.has_key_rules() && text.find('\\') == std::string_view::npos) {
        find(text, hints, scratch.matches);
        if (scratch.matches.empty()) return false;
        out.clear();
        if (replace_in_place(text, scratch.matches, out)) return true;
    }
    out.clear();
    Walk walk{text, level, out, 0, hints, false};
    scratch.tokens.start(text);
    std::size_t last_number = 0;
    bool is_after_number = false;
    while (true) {
        const JsonToken token = scratch.tokens.next();
        switch (token.kind) {
            case JsonTokenKind::key:
                take_key(walk, token);
                break;
            case JsonTokenKind::string:
                take_string(walk, token);
                break;
            case JsonTokenKind::number:
                take_number(walk, token);
                break;
            case JsonTokenKind::end:
            case JsonTokenKind::cut:
                if (walk.is_changed) out += text.substr(walk.copied);
                return walk.is_changed;
            case JsonTokenKind::wrong: {
                // No JSON after all: digits may go on from the number before.
                const bool goes_on = is_after_number && last_number >= walk.copied;
                const std::size_t from = goes_on ? last_number : token.begin;
                append_plain(text.substr(from), scratch, walk);
                return walk.is_changed;
            }
            default:
                break;
        }
        is_after_number = token.kind == JsonTokenKind::number;
        if (is_after_number) last_number = token.begin;
    }
}

bool TextRedactor::replace_in_place(
    std::string_view text, std::span<const Match> matches, std::string& out
) {
    std::size_t from = 0;
    bool is_inside = false;  // a string
    for (const Match& match : matches) {
        const std::string_view before = text.substr(from, match.begin - from);
        const std::string_view hit = text.substr(match.begin, match.end - match.begin);
        is_inside = is_inside != has_odd_quotes(before);
        const bool is_one_string = is_inside && hit.find('"') == std::string_view::npos;
        if (!is_one_string && !is_json_number(text, match)) return false;
        out += before;
        if (!is_inside) out += '"';
        append_replacement(match.rule, hit, out);
        if (!is_inside) out += '"';
        from = match.end;
    }
    out += text.substr(from);
    for (const Match& match : matches)
        ++counts_[match.rule];
    return true;
}

// The rest of a text that turned out to be no JSON.
void TextRedactor::append_plain(std::string_view text, Level& scratch, Walk& walk) {
    find(text, {}, scratch.matches);
    if (scratch.matches.empty() && !walk.is_changed) return;
    const auto begin = static_cast<std::size_t>(text.data() - walk.text.data());
    walk.out += walk.text.substr(walk.copied, begin - walk.copied);
    append_replaced(text, scratch.matches, walk.out);
    walk.copied = walk.text.size();
    walk.is_changed = true;
}

void TextRedactor::replace(Walk& walk, std::size_t begin, std::size_t end, std::string_view text) {
    walk.out += walk.text.substr(walk.copied, begin - walk.copied);
    walk.out += text;
    walk.copied = end;
    walk.is_changed = true;
}

void TextRedactor::take_key(Walk& walk, const JsonToken& token) {
    Level& scratch = levels_[walk.level];
    std::string_view key = walk.text.substr(token.begin, token.end - token.begin);
    if (token.has_escape) {
        scratch.key.clear();
        append_json_unescaped(key, scratch.key);
        key = scratch.key;
    }
    walk.hints = hints_of(key);
    find(key, {}, scratch.matches);
    if (!scratch.matches.empty()) {
        scratch.out.clear();
        append_replaced(key, scratch.matches, scratch.out);
        replace(walk, token.begin, token.end, {});
        append_json_escaped(scratch.out, walk.out);
    }
    if (!rules_.has_key_rules()) return;
    const KeyRule rule = rules_.key_rule(key);
    if (rule == KeyRule::drop || rule == KeyRule::hash) take_ruled_value(walk, rule);
}

// The value after a key of keys.drop or keys.hash, whole, however deep it is.
void TextRedactor::take_ruled_value(Walk& walk, KeyRule rule) {
    JsonTokens& tokens = levels_[walk.level].tokens;
    const std::size_t depth = tokens.depth();
    JsonToken token = tokens.next();
    if (token.kind >= JsonTokenKind::end || token.kind == JsonTokenKind::object_end) {
        if (token.kind == JsonTokenKind::wrong) {
            counts_[rules::key_drop] += 1;
            replace(walk, token.begin, walk.text.size(), dropped_text);
        }
        return;
    }
    const bool is_string = token.kind == JsonTokenKind::string;
    const std::size_t begin = is_string ? token.begin - 1 : token.begin;
    while (tokens.depth() > depth && token.kind < JsonTokenKind::end)
        token = tokens.next();
    std::size_t end = is_string ? std::min(token.end + 1, walk.text.size()) : token.end;
    if (token.kind >= JsonTokenKind::end) end = walk.text.size();
    const std::string_view value = walk.text.substr(begin, end - begin);
    counts_[rule == KeyRule::drop ? rules::key_drop : rules::key_hash] += 1;
    replace(walk, begin, end, "\"");
    if (rule == KeyRule::drop) {
        walk.out += dropped_text;
    } else {
        std::array<char, HashKey::token_size> hash{};
        // The token of a string is that of its text, as on an attribute of its own.
        key_.write_token(
            is_string ? walk.text.substr(token.begin, token.end - token.begin) : value, hash.data()
        );
        walk.out.append(hash.data(), hash.size());
    }
    walk.out += '"';
}

void TextRedactor::take_string(Walk& walk, const JsonToken& token) {
    Level& scratch = levels_[walk.level];
    std::string_view content = walk.text.substr(token.begin, token.end - token.begin);
    if (token.has_escape) {
        scratch.unescaped.clear();
        append_json_unescaped(content, scratch.unescaped);
        content = scratch.unescaped;
    }
    if (!redact_at(content, walk.hints, walk.level + 1, scratch.out)) return;
    replace(walk, token.begin, token.end, {});
    append_json_escaped(scratch.out, walk.out);
}

void TextRedactor::take_number(Walk& walk, const JsonToken& token) {
    const std::size_t size = token.end - token.begin;
    if (size < number_bytes_min && !rules_.has_patterns()) return;
    Level& scratch = levels_[walk.level];
    const std::string_view number = walk.text.substr(token.begin, size);
    find(number, walk.hints, scratch.matches);
    if (scratch.matches.empty()) return;
    replace(walk, token.begin, token.end, "\"");
    append_replaced(number, scratch.matches, walk.out);
    walk.out += '"';
}

void TextRedactor::append_replaced(
    std::string_view text, std::span<const Match> matches, std::string& out
) {
    replace_matches(text, matches, out);
    for (const Match& match : matches)
        ++counts_[match.rule];
}

void TextRedactor::replace_matches(
    std::string_view text, std::span<const Match> matches, std::string& out
) const {
    std::size_t from = 0;
    for (const Match& match : matches) {
        out += text.substr(from, match.begin - from);
        append_replacement(match.rule, text.substr(match.begin, match.end - match.begin), out);
        from = match.end;
    }
    out += text.substr(from);
}

void TextRedactor::append_replacement(RuleId rule, std::string_view match, std::string& out) const {
    constexpr std::size_t kept_bytes = 4;
    switch (rules_.action(rule)) {
        case MatchAction::drop:
            return;
        case MatchAction::hash:
            append_hash(rule, match, out);
            return;
        case MatchAction::keep_last4:
            if (match.size() >= 2 * kept_bytes &&
                is_utf8(match.substr(match.size() - kept_bytes))) {
                out += "****";
                out += match.substr(match.size() - kept_bytes);
                return;
            }
            break;
        case MatchAction::mask:
            break;
    }
    out += rules_.placeholder(rule);
}

// `<email:1f2e:…>`: the rule, the key's id, 32 hex of the keyed hash of the rule and the value.
void TextRedactor::append_hash(RuleId rule, std::string_view match, std::string& out) const {
    constexpr std::string_view zero{"\0", 1};
    constexpr std::size_t hash_bytes = 16;
    const std::string_view name = rules_.name(rule);
    const std::string plain = plain_value(rule, match);
    const std::array<std::string_view, 5> pieces = {"match/1", zero, name, zero, plain};
    const Sha256Digest digest = key_.hmac(pieces);
    std::array<char, 2 * hash_bytes> hex{};
    write_hex(std::span(digest).first(hash_bytes), hex.data());
    out += '<';
    out += name;
    out += ':';
    out += key_.id();
    out += ':';
    out.append(hex.data(), hex.size());
    out += '>';
}

void TextRedactor::trim() {
    for (Level& level : levels_) {
        trim_string(level.key);
        trim_string(level.unescaped);
        trim_string(level.out);
        if (level.matches.capacity() * sizeof(Match) > scratch_bytes_kept_max) {
            level.matches = std::vector<Match>();
        }
    }
}

std::string_view redacted_prefix(std::string_view text, std::size_t bytes_max) {
    constexpr std::size_t replacement_bytes_max = 72;  // `<`, a name of 32, key id and hash, `>`
    const std::string_view prefix = utf8_prefix(text, bytes_max);
    if (prefix.size() == text.size()) return prefix;
    const std::size_t reach = std::min(prefix.size(), replacement_bytes_max);
    const std::string_view tail = prefix.substr(prefix.size() - reach);
    const std::size_t bracket = tail.rfind('[');
    if (bracket != std::string_view::npos && tail.find(']', bracket) == std::string_view::npos) {
        return prefix.substr(0, prefix.size() - reach + bracket);
    }
    const std::size_t angle = tail.rfind('<');
    if (angle != std::string_view::npos && may_be_hash_token(tail.substr(angle))) {
        return prefix.substr(0, prefix.size() - reach + angle);
    }
    const std::size_t token = tail.rfind("h:");
    if (token != std::string_view::npos && token > 0) {
        return prefix.substr(0, prefix.size() - reach + token);
    }
    return prefix;
}

}  // namespace spangate
