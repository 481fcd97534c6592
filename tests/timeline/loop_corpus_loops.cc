#include "timeline/loop_corpus.h"

namespace spangate::test {
namespace {

// A loop's end is past its threshold by so much.
constexpr int overrun = 6;

const std::vector<std::string> readers = {
    "search_web",
    "get_status",
    "stripe_api.get_status",
    "read_file",
    "lookup_customer",
    "check_invoice",
    "query_db",
    "mcp__crm__find_contact"};
const std::vector<std::string> errors = {"ToolError", "RuntimeError", "ProcessFailed", "500"};

void maybe_think(LoopScript& script) {
    if (script.chance(70)) script.think();
}

// Each kind writes one session; the threshold step is marked by loops_from_here().

void same_call(LoopScript& script) {
    const ScriptedCall call{script.pick(readers), script.fresh("args"), script.fresh("result")};
    const int count = script.between(3, 3 + overrun);
    for (int i = 1; i <= count; ++i) {
        maybe_think(script);
        script.call(call);
        if (i == 3) script.loops_from_here();
    }
}

void same_batch(LoopScript& script) {
    std::vector<ScriptedCall> calls;
    for (int i = script.between(2, 5); i > 0; --i)
        calls.push_back({script.pick(readers), script.fresh("args"), script.fresh("result")});
    for (int i = 1; i <= 3 + overrun; ++i) {
        script.think();
        script.call_together(calls);
        if (i == 3) script.loops_from_here();
    }
}

void cycle_of_tools(LoopScript& script) {
    std::vector<ScriptedCall> block;
    for (int i = script.between(2, 6); i > 0; --i)
        block.push_back({script.pick(readers), script.fresh("args"), script.fresh("result")});
    for (int i = 1; i <= 3 + script.between(1, 4); ++i) {
        for (const ScriptedCall& call : block) {
            maybe_think(script);
            script.call(call);
        }
        if (i == 3) script.loops_from_here();
    }
}

void cycle_of_agents(LoopScript& script) {
    const ScriptedCall plan{"make_plan", script.fresh("args"), script.fresh("result")};
    const ScriptedCall check{"check_plan", script.fresh("args"), script.fresh("result")};
    for (int i = 1; i <= 3 + overrun; ++i) {
        script.act_as("planner");
        script.think();
        script.call(plan);
        script.act_as("validator");
        maybe_think(script);
        script.call(check);
        if (i == 3) script.loops_from_here();
    }
}

void failing_the_same_way(LoopScript& script) {
    const std::string tool = script.pick(readers);
    const std::string error = script.pick(errors);
    const bool changes_args = script.chance(50);
    const std::string args = script.fresh("args");
    for (int i = 1; i <= 3 + script.between(0, overrun); ++i) {
        maybe_think(script);
        script.call(
            {tool,
             changes_args ? script.fresh("args") : args,
             script.fresh("message"),
             "",
             EventOutcome::error,
             error}
        );
        if (i == 3) script.loops_from_here();
    }
}

void failing_for_good(LoopScript& script) {
    const std::string error = script.pick(
        {"ValidationError", "PermissionDenied", "schema_mismatch", "Unauthorized", "403", "422"}
    );
    const ScriptedCall call{
        script.pick(readers), script.fresh("args"), "", "", EventOutcome::error, error};
    for (int i = 1; i <= 2 + script.between(0, overrun); ++i) {
        maybe_think(script);
        script.call(call);
        if (i == 2) script.loops_from_here();
    }
}

void frozen_state(LoopScript& script) {
    const std::string state = script.fresh("state");
    const std::string receipt = script.fresh("receipt");
    script.call({"set_field", script.fresh("args"), receipt});
    script.tell_state(state);
    for (int i = 1; i <= 5 + script.between(0, overrun); ++i) {
        maybe_think(script);
        script.call({"set_field", script.fresh("args"), receipt});
        script.tell_state(state);
        if (i == 5) script.loops_from_here();
    }
}

void state_that_comes_back(LoopScript& script) {
    const std::string one = script.fresh("state");
    const std::string other = script.fresh("state");
    const std::string undone = script.fresh("receipt");
    script.call({"apply_change", script.fresh("args"), undone});
    script.call({"undo_change", script.fresh("args"), undone + "u"});
    script.tell_state(one);
    for (int i = 1; i <= 5; ++i) {
        maybe_think(script);
        script.call({"apply_change", script.fresh("args"), undone});
        script.tell_state(other);
        maybe_think(script);
        script.call({"undo_change", script.fresh("args"), undone + "u"});
        script.tell_state(one);
        if (i == 2) script.loops_from_here();
    }
}

void uncorrected_retry(LoopScript& script) {
    ScriptedCall call{script.pick(readers), script.fresh("args"), script.fresh("ambiguous")};
    if (script.chance(40)) {
        call.outcome = EventOutcome::error;
        call.error = script.pick(errors);
    }
    for (int i = 0; i <= 2 + overrun; ++i) {
        call.retry = i;
        if (script.chance(30)) script.think();
        script.call(call);
        if (i == 2) script.loops_from_here();
        script.wait_ms(script.between(1, 200));
    }
}

void cosmetic_variation(LoopScript& script) {
    ScriptedCall call{script.pick(readers), "", script.fresh("result"), script.fresh("shape")};
    for (int i = 1; i <= 4 + script.between(0, overrun); ++i) {
        maybe_think(script);
        call.args = script.fresh("args");
        script.call(call);
        if (i == 4) script.loops_from_here();
    }
}

void handoff_ping_pong(LoopScript& script) {
    const std::string one = script.pick({"triage", "supervisor", "planner"});
    const std::string other = script.pick({"billing", "refunds", "validator"});
    for (int i = 1; i <= 2 + script.between(1, 3); ++i) {
        script.think();
        script.hand_over(one, other);
        if (i == 2) script.loops_from_here();
        script.think();
        script.hand_over(other, one);
    }
}

void deep_delegation(LoopScript& script) {
    std::string from = "agent-0";
    for (int i = 1; i <= 9 + script.between(0, 3); ++i) {
        const std::string to = "agent-" + std::to_string(i);
        script.think();
        script.hand_over(from, to);
        from = to;
        if (i == 9) script.loops_from_here();
    }
}

void fast_polling(LoopScript& script) {
    const std::string tool = script.pick(readers);
    const std::string args = script.fresh("args");
    for (int i = 1; i <= 51 + overrun; ++i) {
        script.call(
            {tool,
             args,
             script.fresh("result"),
             "",
             EventOutcome::ok,
             "",
             0,
             -1,
             script.between(20, 120)}
        );
        if (i == 51) script.loops_from_here();
    }
}

void endless_waiting(LoopScript& script) {
    const ScriptedCall call{"get_job_status", script.fresh("args"), "pending"};
    const int pause = script.between(5'500, 20'000);
    for (int i = 1; i <= 51 + overrun; ++i) {
        script.call(call);
        script.wait_ms(pause);
        if (i == 51) script.loops_from_here();
    }
}

void restarting_agent(LoopScript& script) {
    const ScriptedCall call{script.pick(readers), script.fresh("args"), script.fresh("result")};
    for (int i = 1; i <= 3 + overrun; ++i) {
        script.restart();
        maybe_think(script);
        script.call(call);
        if (i == 3) script.loops_from_here();
    }
}

void growing_prompt(LoopScript& script) {
    double tokens = script.between(9'000, 12'000);
    for (int i = 0; i <= 5 + script.between(0, 3); ++i) {
        script.think(static_cast<int>(tokens));
        if (i == 5) script.loops_from_here();
        tokens *= 1.21 + 0.01 * script.between(0, 20);
        script.call({script.pick(readers), script.fresh("args"), script.fresh("result")});
    }
}

void running_out_of_budget(LoopScript& script) {
    double left = 1.0;
    for (int i = 1; i <= 12; ++i) {
        left -= 0.1;
        script.tell_budget(left < 1e-9 ? 0 : left);
        script.think();
        if (i == 10) script.loops_from_here();
        script.call({script.pick(readers), script.fresh("args"), script.fresh("result")});
    }
}

using Kind = void (*)(LoopScript&);

struct NamedKind {
    const char* name;
    Kind write;
    bool needs_inferences = false;
    bool numbers_states = true;  // makes sense where each step has a state of its own
};

const NamedKind kinds[] = {
    {"same call", same_call},
    {"same batch", same_batch},
    {"cycle of tools", cycle_of_tools, false, false},
    {"cycle of agents", cycle_of_agents, false, false},
    {"failing the same way", failing_the_same_way},
    {"failing for good", failing_for_good},
    {"frozen state", frozen_state, false, false},
    {"state that comes back", state_that_comes_back, false, false},
    {"uncorrected retry", uncorrected_retry, false, false},
    {"cosmetic variation", cosmetic_variation, false, false},
    {"handoff ping-pong", handoff_ping_pong},
    {"deep delegation", deep_delegation},
    {"fast polling", fast_polling},
    {"endless waiting", endless_waiting},
    {"restarting agent", restarting_agent},
    {"growing prompt", growing_prompt, true},
    {"running out of budget", running_out_of_budget, true},
};

}  // namespace

std::vector<CorpusSession> looping_sessions(std::uint64_t seed, int each) {
    std::vector<CorpusSession> sessions;
    for (const NamedKind& kind : kinds) {
        for (int i = 0; i < each; ++i) {
            const std::uint64_t own = seed * 1'000'003 + sessions.size();
            Instrumentation how = any_instrumentation(own);
            how.tells_inferences = how.tells_inferences || kind.needs_inferences;
            how.numbers_states = how.numbers_states && kind.numbers_states;
            sessions.push_back({kind.name, true, own, LoopScript(own, how)});
            LoopScript& script = sessions.back().script;
            work(script, script.between(0, 12));
            kind.write(script);
            script.end_run();
        }
    }
    return sessions;
}

}  // namespace spangate::test
