#include <iterator>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"
#include "replay/diff.h"
#include "replay/step_view.h"

namespace spangate {
namespace {

class DiffJson {
  public:
    DiffJson(
        Timeline& a,
        Timeline& b,
        const SessionDiff& diff,
        const DiffSettings& settings,
        std::ostream& out
    )
        : a_(a),
          b_(b),
          left_(a, view_),
          right_(b, view_),
          diff_(diff),
          settings_(settings),
          out_(out) {}

    void write() {
        out_ << "{\"spangate_diff\":1,\"a\":" << run(a_) << ",\"b\":" << run(b_);
        out_ << ",\"diverged\":" << (diff_.is_diverged() ? "true" : "false");
        out_ << ",\"first_divergence\":";
        if (diff_.is_diverged()) {
            out_ << row(diff_.first_divergence);
        } else {
            out_ << "null";
        }
        out_ << fmt::format(
            R"(,"similarity":{:.6f},"edits":{},"rows_count":{})",
            diff_.similarity,
            diff_.edits,
            diff_.rows.size()
        );
        branches();
        const StatePaths& states = diff_.states;
        out_ << fmt::format(
            R"(,"state_path":{{"a":{},"b":{},"common_begin":{},"common":{}}})",
            states.left,
            states.right,
            states.common_begin,
            states.common
        );
        masks();
        rows();
        out_ << "}\n";
    }

  private:
    static std::string run(const Timeline& timeline) {
        const Totals& totals = timeline.totals;
        std::string out = fmt::format(
            R"({{"tenant_id":{},"session_id":{},"steps":{},"inferences":{},"tool_calls":{},)",
            json_quote(timeline.tenant_id),
            json_quote(timeline.session_id),
            totals.steps,
            totals.inferences,
            totals.tool_calls
        );
        fmt::format_to(
            std::back_inserter(out),
            R"("errors":{},"loops":{},"tokens_prompt":{},"tokens_completion":{},"cost_usd":{},)"
            R"("started_at":"{}","ended_at":"{}","duration_ms":{:.3f}}})",
            totals.errors,
            totals.loops,
            totals.tokens_prompt,
            totals.tokens_completion,
            totals.cost_usd,
            to_rfc3339(totals.started_at),
            to_rfc3339(totals.ended_at),
            static_cast<double>(totals.ended_at - totals.started_at) / 1e6
        );
        return out;
    }

    // Numbers of steps count from 1, as everywhere.
    static std::string step(const Timeline& timeline, const StepViews& views, std::uint32_t index) {
        if (index == no_index) return "null";
        const Step& step = timeline.steps[index];
        return fmt::format(
            R"({{"step":{},"event_id":"{}","kind":"{}","agent":{},"what":{}}})",
            index + 1,
            to_hex(timeline.event_of(step).id),
            name_of(step.kind),
            json_quote(views.agent(step)),
            json_quote(views.what(step))
        );
    }

    std::string row(std::uint32_t index) {
        const AlignedStep& aligned = diff_.rows[index];
        std::string out = fmt::format(
            R"({{"row":{},"change":"{}","a":{},"b":{})",
            index + 1,
            step_change_names[static_cast<std::size_t>(aligned.change)],
            step(a_, left_, aligned.left),
            step(b_, right_, aligned.right)
        );
        if (aligned.is_masked) out += R"(,"masked":true)";
        if (aligned.carried_from != no_index) {
            fmt::format_to(
                std::back_inserter(out), R"(,"carried_from":{})", aligned.carried_from + 1
            );
        }
        if (aligned.change == StepChange::equal) return out + '}';
        out += R"(,"differences":[)";
        for (const StepDifference& difference : aligned.differences) {
            fmt::format_to(
                std::back_inserter(out),
                R"({}{{"what":{},"a":{},"b":{}}})",
                out.back() == '[' ? "" : ",",
                json_quote(difference.what),
                json_quote(difference.left),
                json_quote(difference.right)
            );
        }
        return out + "]}";
    }

    void branches() {
        out_ << ",\"branches\":[";
        const char* comma = "";
        for (const OtherBranch& branch : diff_.branches) {
            out_ << comma
                 << fmt::format(
                        R"({{"row":{},"decision":{},"a":{},"b":{}}})",
                        branch.row + 1,
                        branch.number,
                        json_quote(branch.left),
                        json_quote(branch.right)
                    );
            comma = ",";
        }
        out_ << ']';
    }

    void masks() {
        out_ << ",\"masked\":[";
        const char* comma = "";
        for (const std::string& mask : diff_.masked) {
            out_ << comma << json_quote(mask);
            comma = ",";
        }
        out_ << fmt::format(
            R"(],"same_shape_unseen":{},"uncompared":{},"digests_compared":{})",
            diff_.masked_unseen,
            diff_.uncompared,
            diff_.has_comparable_digests
        );
    }

    void rows() {
        out_ << ",\"rows\":[";
        const char* comma = "";
        for (std::uint32_t i = 0; i < diff_.rows.size(); ++i) {
            if (!settings_.shows_all && diff_.rows[i].change == StepChange::equal) continue;
            out_ << comma << row(i);
            comma = ",";
        }
        out_ << ']';
    }

    Timeline& a_;
    Timeline& b_;
    ReplayView view_;
    StepViews left_;
    StepViews right_;
    const SessionDiff& diff_;
    const DiffSettings& settings_;
    std::ostream& out_;
};

}  // namespace

void write_diff_json(
    Timeline& a,
    Timeline& b,
    const SessionDiff& diff,
    const DiffSettings& settings,
    std::ostream& out
) {
    DiffJson(a, b, diff, settings, out).write();
}

}  // namespace spangate
