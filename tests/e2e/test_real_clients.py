"""Real agent libraries, end to end: they tell a refund to the gateway, and the topics tell it right.

The story of all of them (clients/story.py): a hand-off from triage to the refund agent, which looks
the customer up, asks a service that fails twice and then works, and charges a card; a streamed answer;
a call that is rate-limited once; a refusal; a model that is down. The model server remembers what it
returned. Run with -s to see the table of clients.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Iterator

import pytest
import yaml

import contract
import summary
from client_runs import PRICES_FILE, Client, Run, run_client
from clients.model_server import MADE_UP, ModelServer
from kafka_cluster import KafkaBroker
from stage import Stage

# The first run of a client makes its environment.
pytestmark = pytest.mark.timeout(900)

TOOLS = ["lookup_customer", "flaky_tool", "flaky_tool", "flaky_tool", "charge_card"]
LATEST = (("OTEL_SEMCONV_STABILITY_OPT_IN", "gen_ai_latest_experimental"),)
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


@dataclasses.dataclass(frozen=True)
class Told:
    """What a client's telemetry holds; the story is the same for all."""

    client: Client
    runs: int               # root agents and workflows: session_start and session_end
    inferences: int         # spans of model calls, failed ones too
    blocked_traces: int     # traces in which something was refused or blocked
    tools: int = len(TOOLS)
    twins: int = 0          # model calls told twice, by two instrumentors or by span and record
    retrievals: int = 0
    terminations: int = 0
    hands_off: bool = True  # from triage to the refund agent
    cache_told: bool = True
    reasoning_told: bool = True
    thoughts_beside: bool = False   # Gemini: the server tells thoughts beside the completion

    @property
    def name(self) -> str:
        return self.client.name


TOLD = [
    Told(Client("otel-openai", "otel_openai.py", "openai2", variables=(
            *LATEST, (CAPTURE, "SPAN_AND_EVENT"), ("OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT", "true"))),
         runs=1, inferences=11, blocked_traces=1, twins=9, cache_told=False, reasoning_told=False),
    Told(Client("otel-openai-legacy", "otel_openai.py", "openai2", protocol="grpc",
                variables=((CAPTURE, "true"),)),
         runs=1, inferences=11, blocked_traces=1, cache_told=False, reasoning_told=False),
    Told(Client("otel-genai-agents", "genai_agents.py", "frameworks", protocol="grpc",
                variables=(*LATEST, (CAPTURE, "SPAN_ONLY"))),
         runs=7, inferences=12, blocked_traces=1, tools=6, terminations=1),
    Told(Client("openinference-langgraph", "openinference_langgraph.py", "frameworks"),
         runs=1, inferences=10, blocked_traces=1, retrievals=1, hands_off=False),
    Told(Client("openinference-agents", "openinference_agents.py", "frameworks", protocol="grpc"),
         runs=7, inferences=12, blocked_traces=2, tools=6, terminations=1),
    Told(Client("openllmetry-langgraph", "openllmetry.py", "frameworks", ("langgraph",),
                protocol="grpc"),
         runs=1, inferences=10, blocked_traces=1, retrievals=1, hands_off=False,
         reasoning_told=False),
    Told(Client("openllmetry-agents", "openllmetry.py", "frameworks", ("agents",)),
         runs=7, inferences=23, blocked_traces=1, tools=6, twins=10, terminations=1),
    Told(Client("pydantic-ai", "pydantic_agents.py", "frameworks"),
         runs=5, inferences=12, blocked_traces=1, tools=6),
    Told(Client("strands", "strands_agents.py", "openai2"),
         runs=5, inferences=12, blocked_traces=1, reasoning_told=False),
    Told(Client("google-adk", "google_adk.py", "adk", variables=((CAPTURE, "true"),)),
         runs=5, inferences=11, blocked_traces=1, twins=10, thoughts_beside=True),
]


class Bench:
    """The gateway and the model server that all clients use, and the runs so far."""

    def __init__(self, stage: Stage, models: ModelServer) -> None:
        self.stage, self.models = stage, models
        self.runs: dict[str, Run] = {}

    def run_of(self, client: Client) -> Run:
        if client.name not in self.runs:
            self.runs[client.name] = run_client(client, self.stage, self.models)
        return self.runs[client.name]

    def table(self) -> str:
        events = [event for run in self.runs.values() for event in run.of_class("operational")]
        returned = {run.client.tenant: run.usage for run in self.runs.values()}
        return summary.table_of(summary.rows_of(events), returned)


@pytest.fixture(scope="module")
def bench(kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Iterator[Bench]:
    stage = make_stage(kafka, {"processors": {"interpret": {"prices_file": str(PRICES_FILE)}}})
    with ModelServer() as models:
        bench = Bench(stage, models)
        yield bench
        print("\n" + bench.table())


@pytest.fixture(scope="module", params=TOLD, ids=lambda told: told.name)
def told(request: pytest.FixtureRequest) -> Told:
    return request.param


@pytest.fixture(scope="module")
def run(bench: Bench, told: Told) -> Run:
    return bench.run_of(told.client)


def test_the_client_ends_well_and_its_exporters_are_content(run: Run) -> None:
    assert run.process.returncode == 0, run.process.stderr
    assert run.export_trouble == []


def test_every_record_keeps_the_contract(run: Run) -> None:
    fields = contract.operational_fields()
    assert run.records
    for record in run.records:
        contract.check_record(record, fields)
    contract.check_classes_agree(run.records)
    contract.check_partitions(run.records)
    assert contract.unexplained_holes(run.records) == []


def test_all_of_a_conversation_is_one_session(run: Run) -> None:
    """Its spans are of the client's session; what came before any key was known is told to be."""
    spans = [event for event in run.story if event["source"] == "span"]
    assert {event["session_id"] for event in spans} == {run.client.session_id}
    assert {event["session_id"] for event in run.story} <= run.conversation


def test_what_the_client_did_are_the_right_events(run: Run, told: Told) -> None:
    found = {name: len(run.events(name, source="span")) for name in (
        "session_start", "session_end", "inference", "tool_request", "tool_response", "retry",
        "retrieval", "termination", "other")}
    assert found == {
        "session_start": told.runs, "session_end": told.runs, "inference": told.inferences,
        "tool_request": told.tools, "tool_response": told.tools, "retry": 2,
        "retrieval": told.retrievals, "termination": told.terminations, "other": 0}


def test_the_tool_that_failed_twice_is_told_with_its_retries(run: Run) -> None:
    calls = [(event["event_type"], event.get("outcome"))
             for event in run.events("tool_request", "tool_response", tool_name="flaky_tool")]
    assert calls == [("tool_request", None), ("tool_response", "error")] * 2 + [
        ("tool_request", None), ("tool_response", "ok")]
    answers = run.events("tool_response", tool_name="flaky_tool")
    assert [event.get("retry_count", 0) for event in answers] == [0, 1, 2]
    assert [event["retry_count"] for event in run.events("retry")] == [1, 2]


def test_the_story_has_its_order(run: Run) -> None:
    worked = main_trace(run)
    names = [event["tool_name"] for event in worked if event["event_type"] == "tool_request"]
    assert [name for name in names if name in TOOLS] == TOOLS
    # The model asks for a tool before it is called, and answers when all is done.
    kinds = [event["event_type"] for event in worked if event["source"] == "span"]
    assert kinds.index("inference") < kinds.index("tool_request")
    assert kinds[0] == "session_start"
    end = next(event for event in worked if event["event_type"] == "session_end")
    assert all(event["timestamp"] <= end["timestamp"] for event in worked)


def test_a_refusal_is_a_policy_intervention(run: Run, told: Told) -> None:
    # The span or its log record tells it, whichever comes first.
    blocked = run.events("policy_intervention", outcome="blocked")
    assert len({event["trace_id"] for event in blocked}) == told.blocked_traces


def test_a_model_that_is_down_is_an_error(run: Run) -> None:
    failed = run.events("inference", outcome="error", source="span")
    assert failed and all("tokens_prompt" not in event for event in failed)
    assert len({event["trace_id"] for event in failed}) == 1


@pytest.mark.parametrize("told", [told for told in TOLD if told.hands_off], indirect=True,
                         scope="module", ids=lambda told: told.name)
def test_a_hand_off_is_told_once(run: Run) -> None:
    # That the first agent of a run was handed the task says nothing.
    first = ("triage_agent",)
    trace = next(e["trace_id"] for e in run.story if e.get("agent_name") == "triage_agent")
    handoffs = [event for event in run.events("handoff", trace_id=trace)
                if event.get("handoff_target") not in first and "twin_of" not in event]
    assert [event["span_id"] for event in handoffs] == [handoffs[0]["span_id"]]
    assert handoffs[0].get("handoff_target", "refund_agent").endswith("refund_agent")


def test_where_a_graph_goes_to_is_a_decision(bench: Bench) -> None:
    run = bench.run_of(client_named("openllmetry-langgraph"))
    [decision] = run.events("planner_decision", decision_chosen="refund_agent")
    assert decision["timestamp"] < run.events("inference")[0]["timestamp"]


def test_usage_is_counted_once_and_is_what_the_model_server_returned(run: Run, told: Told) -> None:
    counted = [event for event in run.story if event.get("counted")]
    beside = run.returned("reasoning_tokens") if told.thoughts_beside else 0
    expected = {
        "tokens_prompt": run.returned("prompt_tokens"),
        "tokens_completion": run.returned("completion_tokens") + beside,
        "tokens_cache_read": run.returned("cached_tokens") if told.cache_told else 0,
        "tokens_reasoning": run.returned("reasoning_tokens") if told.reasoning_told else 0}
    assert {field: sum(event.get(field, 0) for event in counted) for field in expected} == expected
    assert len(counted) == run.returned("calls")
    assert all(event["usage_role"] == "call" for event in counted)


def test_a_call_told_twice_names_its_twin(run: Run, told: Told) -> None:
    twins = [event for event in run.story if event.get("usage_role") == "twin"]
    assert len(twins) == told.twins
    assert not any(event["counted"] for event in twins)
    # What tells first that it is a twin cannot name the other yet.
    named = {event["twin_of"] for event in twins if "twin_of" in event}
    assert named <= {event["event_id"] for event in run.story if event.get("counted")}
    assert all("twin_of" in event or "joins" in event for event in twins)


def test_cost_is_the_price_of_the_tokens(run: Run, told: Told) -> None:
    counted = [event for event in run.story if event.get("counted")]
    assert counted and all(event["cost_source"] == "computed" for event in counted)
    assert len({event["price_version"] for event in counted}) == 1
    expected = sum(price_of(model, totals, told) for model, totals in run.usage.items())
    assert sum(event["cost_usd"] for event in counted) == pytest.approx(expected, abs=1e-9)


def test_personal_data_stay_in_evidence(run: Run, bench: Bench) -> None:
    leaks = {(record.event_class, record.event["event_type"], name)
             for record in run.records if record.event_class != "evidence"
             for name, secret in MADE_UP.items() if secret.encode() in record.raw}
    assert not leaks
    evidence = [record for record in run.records if record.event_class == "evidence"]
    kept = b"".join(contract.evidence_payloads(evidence).values())
    assert {name for name, secret in MADE_UP.items() if secret.encode() not in kept} == set()
    log = bench.stage.gateway.log() + bench.stage.gateway.metrics().text
    assert not [name for name, secret in MADE_UP.items() if secret in log]


@pytest.mark.parametrize("name", ["otel-openai", "otel-openai-legacy"])
def test_log_records_join_their_spans(bench: Bench, name: str) -> None:
    """A log record beside a span is joined to it, and makes no event that the span makes too, but
    for the call, which counts once."""
    run = bench.run_of(client_named(name))
    logs = [event for event in run.story if event["source"] == "log"]
    spans = {event["span_id"] for event in run.events("inference", source="span")}
    assert logs and {event["joins"] for event in logs} <= spans
    wanted = "inference" if name == "otel-openai" else "other"
    assert {event["event_type"] for event in logs} == {wanted}


def test_the_ledger_explains_everything(bench: Bench) -> None:
    assert bench.stage.gateway.metrics().faults() == []


def client_named(name: str) -> Client:
    return next(told.client for told in TOLD if told.name == name)


def main_trace(run: Run) -> list[dict[str, Any]]:
    """The trace in which the card was charged, in order."""
    trace = run.events("tool_response", tool_name="charge_card")[0]["trace_id"]
    return [event for event in run.story if event.get("trace_id") == trace]


def price_of(model: str, totals: dict[str, Any], told: Told) -> float:
    """What the model's calls cost by clients/prices.yaml, for the kinds of tokens the client tells."""
    [price] = [entry for entry in yaml.safe_load(PRICES_FILE.read_text())["prices"]
               if model.startswith(entry["model"].rstrip("*"))]
    cached = totals["cached_tokens"] if told.cache_told else 0
    reasoning = totals["reasoning_tokens"] if told.reasoning_told else 0
    completion = totals["completion_tokens"]
    if told.thoughts_beside:
        completion += totals["reasoning_tokens"]
    return (cached * price.get("cache_read", price["input"])
            + (totals["prompt_tokens"] - cached) * price["input"]
            + reasoning * price.get("reasoning", price["output"])
            + (completion - reasoning) * price["output"]) / 1e6
