// One file that shows a session in a browser and asks nobody for anything. In this order: the
// skeleton with its policy and style, the session as plain text for readers without script, the
// story's columns, what the steps said, the script. Written as a stream; apart from tables of
// repeated texts nothing is held.
#include <algorithm>

#include "replay/html_content.h"
#include "replay/html_output.h"
#include "replay/html_page.h"
#include "replay/html_story.h"
#include "replay/html_text.h"
#include "replay/replay.h"

namespace spangate {
namespace {

// What the whole file may weigh: 400 KiB up to 1,000 steps, 40 MiB at 100,000. Content is cut to
// what the rest leaves.
std::uint64_t page_bytes_max(std::size_t rows) {
    constexpr std::uint64_t least = 396 * 1024;
    constexpr std::uint64_t bytes_per_row = 414;
    return rows <= 1000 ? least : least + (rows - 1000) * bytes_per_row;
}

class HtmlPage {
  public:
    HtmlPage(Timeline& timeline, const ReplayView& view, std::ostream& out)
        : timeline_(timeline),
          view_(view),
          views_(timeline, view),
          rows_(views_.chosen()),
          out_(out) {
        // The page goes by time; which end one reads from is the reader's choice there.
        std::sort(rows_.begin(), rows_.end());
    }

    void write() {
        std::string_view rest = page_markup();
        while (!rest.empty()) {
            const std::size_t mark = std::min(rest.find("@@"), rest.size());
            out_.raw(rest.substr(0, mark));
            if (mark == rest.size()) break;
            const std::size_t end = rest.find("@@", mark + 2);
            fill(rest.substr(mark + 2, end - mark - 2));
            rest.remove_prefix(end + 2);
        }
    }

  private:
    void fill(std::string_view place) {
        if (place == "policy") {
            out_.raw(page_content_policy());
        } else if (place == "session") {
            out_.markup(timeline_.session_id);
        } else if (place == "contents") {
            out_.markup(html_contents_sentence(timeline_, view_));
        } else if (place == "style") {
            out_.raw(page_style());
        } else if (place == "text") {
            write_html_text(timeline_, views_, rows_, out_);
        } else if (place == "story") {
            HtmlStory(timeline_, views_, rows_, out_).write(view_);
        } else if (place == "content") {
            write_content();
        } else if (place == "script") {
            out_.raw(page_script());
        }
    }

    void write_content() {
        const std::uint64_t bytes_max = page_bytes_max(rows_.size());
        const std::uint64_t used = out_.bytes() + page_script().size();
        if (!view_.shows_content) return;
        HtmlContent(timeline_, views_, rows_, out_).write(bytes_max > used ? bytes_max - used : 0);
    }

    Timeline& timeline_;
    const ReplayView& view_;
    StepViews views_;
    std::vector<std::uint32_t> rows_;
    HtmlOutput out_;
};

}  // namespace

void write_html(Timeline& timeline, const ReplayView& view, std::ostream& out) {
    HtmlPage(timeline, view, out).write();
}

}  // namespace spangate
