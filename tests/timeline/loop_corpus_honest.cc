#include "timeline/loop_corpus.h"

namespace spangate::test {
namespace {

const std::vector<std::string> tools = {
    "search_web", "read_file", "query_db", "lookup_customer", "fetch_page", "list_orders"};

// A job that is asked for until it is done, by a program that knows how to wait.
void polling_by_code(LoopScript& script) {
    for (int job = script.between(1, 3); job > 0; --job) {
        const std::string args = script.fresh("job");
        script.call({"start_job", args, script.fresh("job")});
        int pause = script.between(600, 6'000);
        const bool grows = script.chance(50);
        for (int i = script.between(1, 14); i > 0; --i) {
            script.wait_ms(pause);
            if (grows && pause < 30'000) pause = pause * 3 / 2;
            script.call({"get_job_status", args, "pending"});
        }
        script.wait_ms(pause);
        script.call({"get_job_status", args, script.fresh("done")});
        work(script, script.between(2, 6));
    }
}

// As above, where a model asks, sleeps with a tool, and asks again.
void polling_by_model(LoopScript& script) {
    const std::string args = script.fresh("job");
    script.think();
    script.call({"start_job", args, script.fresh("job")});
    for (int i = script.between(2, 8); i > 0; --i) {
        script.think();
        script.call({"get_job_status", args, "running"});
        script.think();
        ScriptedCall sleep{script.pick({"sleep", "wait_seconds", "Sleep"}), "{10}", "ok"};
        sleep.duration_ms = script.between(8'000, 30'000);
        script.call(sleep);
    }
    script.think();
    script.call({"get_job_status", args, script.fresh("done")});
    work(script, 4);
}

void polling_progress(LoopScript& script) {
    const std::string args = script.fresh("job");
    const int pause = script.between(300, 3'000);
    for (int i = script.between(5, 40); i > 0; --i) {
        script.call({"get_progress", args, script.fresh("percent")});
        script.wait_ms(pause);
    }
    work(script, 3);
}

void paging(LoopScript& script) {
    const std::string shape = script.fresh("shape");
    const std::string tool = script.pick(tools);
    for (int page = script.between(4, 30); page > 0; --page) {
        if (script.chance(50)) script.think();
        script.call({tool, script.fresh("cursor"), script.fresh("page"), shape});
    }
    script.call({tool, script.fresh("cursor"), "[]", shape});
    work(script, 3);
}

void batch_of_reads(LoopScript& script) {
    const std::string shape = script.fresh("shape");
    const bool by_model = script.chance(50);
    const bool has_few_answers = script.chance(40);
    for (int item = script.between(8, 40); item > 0; --item) {
        if (by_model) script.think();
        const std::string result =
            has_few_answers ? script.pick({"shipped", "packed", "returned", "lost", "ordered"})
                            : script.fresh("order");
        ScriptedCall call{"get_order", script.fresh("id"), result, shape};
        if (script.chance(8)) {
            call.outcome = EventOutcome::error;
            call.error = "NotFound";
            call.result.clear();
        }
        script.call(call);
    }
}

void batch_of_writes(LoopScript& script) {
    const std::string shape = script.fresh("shape");
    const std::string tool =
        script.pick({"update_item", "send_email", "mcp__crm__create_note", "delete_row"});
    const bool by_model = script.chance(50);
    for (int item = script.between(6, 40); item > 0; --item) {
        if (by_model) script.think();
        script.call({tool, script.fresh("id"), "done", shape});
    }
    work(script, 3);
}

void fan_out(LoopScript& script) {
    const std::string shape = script.fresh("shape");
    for (int round = script.between(2, 6); round > 0; --round) {
        script.think();
        std::vector<ScriptedCall> calls;
        for (int i = script.between(3, 8); i > 0; --i)
            calls.push_back({"fetch_page", script.fresh("url"), script.fresh("page"), shape});
        if (script.chance(30)) calls.push_back(calls.front());
        script.call_together(calls);
    }
    work(script, 3);
}

void retries_that_succeed(LoopScript& script) {
    const bool tells_retries = script.chance(60);
    for (int i = script.between(2, 5); i > 0; --i) {
        ScriptedCall call{script.pick(tools), script.fresh("args"), ""};
        call.outcome = EventOutcome::error;
        call.error = script.pick({"TimeoutError", "ConnectionError", "RateLimitError", "503"});
        int pause = script.between(200, 1'500);
        const int failures = script.between(1, 3);
        for (int attempt = 0; attempt < failures; ++attempt) {
            if (tells_retries) call.retry = attempt;
            script.call(call);
            script.wait_ms(pause);
            pause *= 2;
        }
        if (tells_retries) call.retry = failures;
        call.outcome = EventOutcome::ok;
        call.error.clear();
        call.result = script.fresh("result");
        script.call(call);
        work(script, script.between(2, 6));
    }
}

void conversation(LoopScript& script) {
    const ScriptedCall profile{"get_profile", "{}", "profile"};
    const ScriptedCall mail{"check_mail", "{}", "none"};
    for (int turn = script.between(4, 12); turn > 0; --turn) {
        script.person_speaks();
        script.think();
        script.call(profile);
        if (script.chance(60)) script.call(mail);
        if (script.chance(50)) work(script, script.between(1, 3));
        script.think();
    }
}

// Read, edit, test: the test fails until it does not.
void edit_and_test(LoopScript& script) {
    const std::string file = script.fresh("file");
    for (int i = script.between(2, 7); i > 0; --i) {
        script.think();
        script.call({"read_file", file, script.fresh("text")});
        script.think();
        script.call({"edit_file", script.fresh("edit"), "edited"});
        script.think();
        ScriptedCall test{"run_tests", "{}", i == 1 ? "passed" : script.fresh("failures")};
        if (i > 1) {
            test.outcome = EventOutcome::error;
            test.error = "TestsFailed";
        }
        script.call(test);
    }
    work(script, 2);
}

void long_planning(LoopScript& script) {
    double left = 20;
    int tokens = 3'000;
    for (int i = script.between(15, 60); i > 0; --i) {
        left -= 0.01 * script.between(1, 9);
        script.tell_budget(left);
        tokens += script.between(100, 900);
        script.think(tokens);
        script.decide(script.pick({"continue", "act", "continue"}));
        if (script.chance(40))
            script.call({script.pick(tools), script.fresh("args"), script.fresh("result")});
    }
}

void approval(LoopScript& script) {
    for (int i = script.between(1, 4); i > 0; --i) {
        work(script, script.between(1, 4));
        ScriptedCall call{"issue_refund", script.fresh("args"), "", "", EventOutcome::none, ""};
        call.call_id = script.fresh("call");
        call.error = "GraphInterrupt";
        call.outcome = EventOutcome::error;
        if (script.chance(50)) {
            call.error.clear();
            call.outcome = EventOutcome::none;
            call.policy = "ask";
        }
        script.think();
        script.call(call);
        script.tell_policy("ask");
        script.wait_ms(script.between(20'000, 1'500'000));
        script.tell_policy("allow");
        call.policy.clear();
        call.error.clear();
        call.outcome = EventOutcome::ok;
        call.result = script.fresh("refund");
        script.call(call);
    }
}

void chain_of_handoffs(LoopScript& script) {
    const std::vector<std::string> agents = {"triage", "planner", "coder", "tester", "writer"};
    for (std::size_t i = 0; i + 1 < agents.size(); ++i) {
        work(script, script.between(1, 4));
        script.hand_over(agents[i], agents[i + 1]);
    }
    work(script, 3);
}

// A supervisor gives each of its agents something to do and takes it back.
void supervised_agents(LoopScript& script) {
    for (int i = script.between(2, 6); i > 0; --i) {
        const std::string agent = script.pick({"search", "sql", "mail"});
        script.think();
        script.hand_over("supervisor", agent);
        work(script, script.between(0, 3));
        script.call({script.pick(tools), script.fresh("args"), script.fresh("result")});
        script.hand_over(agent, "supervisor");
    }
}

void looking_around(LoopScript& script) {
    for (int i = script.between(2, 4); i > 0; --i) {
        for (int miss = script.between(1, 4); miss > 0; --miss) {
            script.think();
            script.call(
                {"read_file", script.fresh("path"), "", "", EventOutcome::error, "FileNotFoundError"}
            );
        }
        script.think();
        script.call({"read_file", script.fresh("path"), script.fresh("text")});
        script.think();
        script.call(
            {"query_db",
             script.fresh("sql"),
             script.fresh("message"),
             "",
             EventOutcome::error,
             "ValidationError"}
        );
        script.think();
        script.call({"query_db", script.fresh("sql"), script.fresh("rows")});
    }
}

void work_queue(LoopScript& script) {
    for (int i = script.between(4, 20); i > 0; --i) {
        script.call({"next_task", "{}", script.fresh("task")});
        work(script, script.between(1, 4));
        script.call({"finish_task", script.fresh("task"), "done"});
    }
    script.call({"next_task", "{}", "none"});
}

// The same small look at each start of a schedule, mostly in vain.
void watch(LoopScript& script) {
    for (int i = script.between(4, 25); i > 0; --i) {
        script.person_speaks();
        script.wait_ms(script.between(60'000, 300'000));
        script.call({"check_alerts", "{}", "none"});
        script.think();
    }
}

void tracked_state(LoopScript& script) {
    for (int i = script.between(5, 25); i > 0; --i) {
        work(script, script.between(1, 6));
        script.tell_state(script.fresh("state"));
    }
}

using Kind = void (*)(LoopScript&);

struct NamedKind {
    const char* name;
    Kind write;
    bool needs_inferences = false;
};

const NamedKind kinds[] = {
    {"polling by code", polling_by_code},
    {"polling by a model", polling_by_model},
    {"polling progress", polling_progress},
    {"paging", paging},
    {"batch of reads", batch_of_reads},
    {"batch of writes", batch_of_writes},
    {"fan-out", fan_out},
    {"retries that succeed", retries_that_succeed},
    {"conversation", conversation},
    {"edit and test", edit_and_test},
    {"long planning", long_planning},
    {"approval", approval},
    {"chain of handoffs", chain_of_handoffs},
    {"supervised agents", supervised_agents},
    {"looking around", looking_around},
    {"work queue", work_queue},
    {"watch", watch},
    {"tracked state", tracked_state},
};

}  // namespace

Instrumentation any_instrumentation(std::uint64_t seed) {
    std::mt19937_64 bits(seed ^ 0x5eed);
    const auto one_in = [&](std::uint64_t n) {
        return bits() % n == 0;
    };
    Instrumentation how;
    how.tells_inferences = !one_in(8);
    how.tells_agents_on_tools = !one_in(3);
    how.tells_requests = !one_in(3);
    how.tells_costs = !one_in(4);
    how.tells_turns = one_in(3);
    how.tells_runs = !one_in(3);
    how.numbers_states = one_in(6);
    how.resends = one_in(4);
    // Calls that name no agent cannot be told apart from the other one's.
    how.has_company = how.tells_agents_on_tools && how.tells_inferences && one_in(3);
    return how;
}

void work(LoopScript& script, int steps) {
    for (int i = 0; i < steps; ++i) {
        script.think();
        for (int calls = script.between(0, 2); calls > 0; --calls)
            script.call({script.pick(tools), script.fresh("args"), script.fresh("result")});
    }
}

std::vector<CorpusSession> honest_sessions(std::uint64_t seed, int each) {
    std::vector<CorpusSession> sessions;
    for (const NamedKind& kind : kinds) {
        for (int i = 0; i < each; ++i) {
            const std::uint64_t own = seed * 2'000'003 + sessions.size();
            sessions.push_back({kind.name, false, own, LoopScript(own, any_instrumentation(own))});
            LoopScript& script = sessions.back().script;
            work(script, script.between(0, 12));
            kind.write(script);
            script.end_run();
        }
    }
    return sessions;
}

}  // namespace spangate::test
