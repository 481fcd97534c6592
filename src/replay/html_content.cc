#include "replay/html_content.h"

#include <algorithm>
#include <sstream>

#include <zlib.h>

#include "base/check.h"
#include "base/text.h"

namespace spangate {
namespace {

// Places where repeated texts stand; more than this many different ones are not looked for.
constexpr std::size_t places_max = 50'000;

// Of the element around a block.
constexpr std::uint64_t element_bytes = 80;

// Longer sessions are packed fast rather than well: 100,000 steps in a second.
constexpr std::size_t rows_for_best = 10'000;

// How often a block is made again; the last time without content.
constexpr int block_tries = 3;

// How many bytes of `text` stand in `bytes` of JSON: the head that fits.
std::string_view head_within(std::string_view text, std::uint64_t bytes) {
    if (text.size() * 6 <= bytes) return text;
    std::uint64_t used = 2;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        const bool is_short = c == '"' || c == '\\' || c == '\n' || c == '\t' || c == '\r';
        const bool is_long = c < 0x20 || c == '<' || c == 0x7f;
        used += is_short ? 2 : (is_long ? 6 : 1);
        if (used > bytes) return utf8_prefix(text, i);
    }
    return text;
}

// As a JSON string of the base64 of what zlib makes of it.
std::string packed(std::string_view block, int level) {
    uLongf size = compressBound(static_cast<uLong>(block.size()));
    std::string bytes(size, '\0');
    const int outcome = compress2(
        reinterpret_cast<Bytef*>(bytes.data()),
        &size,
        reinterpret_cast<const Bytef*>(block.data()),
        static_cast<uLong>(block.size()),
        level
    );
    SPANGATE_CHECK(outcome == Z_OK);  // only memory or too small a buffer could refuse
    bytes.resize(size);
    return '"' + to_base64(bytes) + '"';
}

}  // namespace

void HtmlContent::write(std::uint64_t bytes) {
    const std::uint64_t end = out_.bytes() + bytes;
    const std::uint64_t share = rows_.empty() ? 0 : bytes / rows_.size();
    for (std::size_t first = 0; first < rows_.size(); first += rows_per_block) {
        const std::size_t after = std::min(first + rows_per_block, rows_.size());
        // What is left, less what the later ones are sure of.
        const std::uint64_t reserved = share * (rows_.size() - after) + element_bytes;
        const std::uint64_t left = end > out_.bytes() ? end - out_.bytes() : 0;
        const std::uint64_t room = left > reserved ? left - reserved : 0;
        const std::uint32_t first_place = places_count_;
        const std::string block = block_within(first, after, room);
        out_.raw("<script type=\"application/json\" data-first=\"");
        out_.number(static_cast<std::int64_t>(first));
        out_.raw("\" data-place=\"");
        out_.number(first_place);
        out_.raw("\">");
        out_.raw(block);
        out_.raw("</script>\n");
    }
}

// How well a block packs is known afterwards: the next one is told, and one that came out too large
// is made again with less in it.
std::string HtmlContent::block_within(std::size_t first, std::size_t after, std::uint64_t room) {
    const int level = rows_.size() > rows_for_best ? Z_BEST_SPEED : Z_DEFAULT_COMPRESSION;
    const std::uint32_t first_place = places_count_;
    auto plain_room = static_cast<std::uint64_t>(static_cast<double>(room) * packs_by_ * 0.9);
    for (int again = 0;; ++again) {
        const std::string plain = plain_block(first, after, plain_room);
        std::string block = packed(plain, level);
        packs_by_ = static_cast<double>(plain.size()) / static_cast<double>(block.size());
        if (block.size() <= room || again == block_tries) return block;
        plain_room = again + 1 == block_tries ? 0 : plain_room * room / block.size() * 3 / 4;
        for (const std::string& key : new_places_) {
            places_.erase(key);
        }
        places_count_ = first_place;
    }
}

std::string HtmlContent::plain_block(std::size_t first, std::size_t after, std::uint64_t room) {
    new_places_.clear();
    std::ostringstream text;
    {
        HtmlOutput block(text);
        block_ = &block;
        const std::uint64_t share = room / (after - first);
        block.raw('[');
        for (std::size_t i = first; i < after; ++i) {
            const std::uint64_t reserved = share * (after - i - 1);
            const std::uint64_t left = room > block.bytes() ? room - block.bytes() : 0;
            allowance_ = left > reserved ? left - reserved : 0;
            if (i > first) block.raw(',');
            write_row(rows_[i]);
        }
        block.raw(']');
    }
    return text.str();
}

void HtmlContent::write_row(std::uint32_t row) {
    const Step& step = timeline_.steps[row];
    const StepContent content = views_.content(step);
    const bool is_empty = content.input.empty() && content.output.empty() && content.error.empty();
    if (is_empty && content.note.empty()) {
        block_->raw('0');
        return;
    }
    // [source, note, input, output, error, record], the last ones left out when empty; a text is
    // itself, [head, bytes], or the number of the place where the same one stands.
    block_->raw('[');
    block_->number(static_cast<std::int64_t>(content.source));
    block_->raw(',');
    block_->json(content.note);
    if (!is_empty) {
        const std::uint64_t share = allowance_ > 80 ? allowance_ - 80 : 0;
        const std::uint64_t before = block_->bytes();
        const auto used = [&] {
            return block_->bytes() - before;
        };
        const auto rest = [&] {
            return share > used() ? share - used() : 0;
        };
        // Half for each, and what the input leaves for the output.
        const std::uint64_t output_size = content.output.size() + content.error.size();
        const std::uint64_t for_input = output_size < share / 2 ? share - output_size : share / 2;
        block_->raw(',');
        write_text(content.input, for_input);
        block_->raw(',');
        write_text(content.output, content.error.empty() ? rest() : rest() * 3 / 4);
        block_->raw(',');
        write_text(content.error, rest());
        allowance_ = rest();
        write_record(step);
    }
    block_->raw(']');
}

void HtmlContent::write_text(std::string_view text, std::uint64_t share) {
    if (text.empty()) {
        block_->raw("\"\"");
        return;
    }
    if (text.size() >= repeated_bytes_min) {
        const Sha256Digest digest = hasher_.add(text).finish();
        const std::string key(digest.begin(), digest.begin() + 16);
        const auto known = places_.find(key);
        if (known != places_.end()) {
            block_->number(known->second);
            return;
        }
        if (places_.size() < places_max) {
            places_.emplace(key, places_count_);
            new_places_.push_back(key);
        }
    }
    ++places_count_;
    const std::string_view head = head_within(text, std::min<std::uint64_t>(share, text_bytes_max));
    if (head.size() == text.size()) {
        block_->json(text);
        return;
    }
    block_->raw('[');
    block_->json(head);
    block_->raw(',');
    block_->number(static_cast<std::int64_t>(text.size()));
    block_->raw(']');
}

void HtmlContent::write_record(const Step& step) {
    if (step.detail == no_detail) return;
    const std::string_view record = timeline_.details.read(step.detail);
    // Only as a whole, and only where it is cheap: it mostly repeats the above.
    if (record.size() * 4 > allowance_ || record.size() > text_bytes_max) return;
    block_->raw(',');
    block_->json(record);
}

}  // namespace spangate
