"""sessions, tail, diff and report, as a person uses them: on a real Kafka, and on JSONL files."""

from __future__ import annotations

import json
import os
import pathlib
import queue
import statistics
import subprocess
import threading
import time
import uuid
from typing import Any, Callable, Iterator

import otlp
import pytest

import gateway as gateway_module
from gateway import run
from kafka_cluster import KafkaBroker
from stage import Stage

SECOND = 1_000_000_000
LATENCY_S = 3.0  # a busy machine; 2 ms on one of its own


def agent_run(session_id: str, *, amount: int = 100, answers: str = "paid", calls: int = 6) -> Any:
    """A root agent span over model calls and tool calls; ids and times differ in each run."""
    trace_id, root_id = os.urandom(16), os.urandom(8)
    begin = time.time_ns() - 60 * SECOND
    shared = {"gen_ai.conversation.id": session_id, "gen_ai.agent.name": "payer"}
    spans = []
    for call in range(calls):
        at = begin + call * 5 * SECOND
        times = {"start_time_unix_nano": at, "end_time_unix_nano": at + SECOND}
        spans.append(otlp.chat_span(
            session_id, content=f"pay part {call}", trace_id=trace_id, parent_span_id=root_id,
            attributes=shared, **times))
        arguments = {"invoice": f"INV-{call}", "amount": 100 if call != 3 else amount,
                     "request_id": str(uuid.uuid4())}
        result = {"state": "paid" if call != 4 else answers, "at": "2026-09-21T10:15:00Z"}
        spans.append(otlp.span(
            "execute_tool pay", shared | {
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "pay",
                "gen_ai.tool.call.id": f"call_{uuid.uuid4().hex}",
                "gen_ai.tool.call.arguments": json.dumps(arguments),
                "gen_ai.tool.call.result": json.dumps(result),
            }, trace_id=trace_id, parent_span_id=root_id,
            start_time_unix_nano=at + SECOND, end_time_unix_nano=at + 2 * SECOND))
    spans.append(otlp.span(
        "invoke_agent payer", shared | {"gen_ai.operation.name": "invoke_agent"},
        trace_id=trace_id, span_id=root_id, start_time_unix_nano=begin,
        end_time_unix_nano=begin + calls * 5 * SECOND))
    return otlp.request(spans)


def failing_call(session_id: str) -> Any:
    status = {"code": 2, "message": "no"}
    return otlp.request([otlp.span(
        "execute_tool fetch", {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "fetch",
            "gen_ai.conversation.id": session_id, "gen_ai.agent.name": "reader",
            "error.type": "timeout",
        }, status=status)])


@pytest.fixture(scope="module")
def told(
    kafka: KafkaBroker, make_stage: Callable[..., Stage], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Stage, pathlib.Path]:
    """A gateway that writes to Kafka and to files, and what it was told."""
    directory = tmp_path_factory.mktemp("jsonl") / "data"
    stage = make_stage(kafka, {"exporters": {"jsonl": {"directory": str(directory)}}})
    for request in (
        agent_run("run-1"), agent_run("run-2"), agent_run("run-dearer", amount=900),
        agent_run("run-refused", answers="refused"), failing_call("run-failed"),
    ):
        reply = otlp.post(stage.gateway.http_port, request.SerializeToString())
        assert reply.status == 200
    return stage, directory


def on_kafka(stage: Stage, *arguments: str) -> subprocess.CompletedProcess:
    return run(*arguments, "--config", str(stage.gateway.config_file))


def listed(stage: Stage, *arguments: str) -> list[dict[str, Any]]:
    result = on_kafka(stage, "sessions", "--json", *arguments)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_sessions_are_listed_with_their_sums_the_worst_first(told: tuple) -> None:
    stage, _ = told
    sessions = listed(stage)
    assert sessions[0]["session_id"] == "run-failed" and sessions[0]["errors"] == 1
    first = next(one for one in sessions if one["session_id"] == "run-1")
    assert (first["inferences"], first["tool_calls"], first["errors"]) == (6, 6, 0)
    assert first["agents"] == ["payer"] and first["missing"] == 0 and first["unfinished"] == 0
    assert first["cost_usd"] > 0 and first["tokens"] == 6 * 19
    text = on_kafka(stage, "sessions").stdout
    assert "run-failed" in text.splitlines()[1] and "\x1b" not in text
    assert len(on_kafka(stage, "sessions", "--limit", "2", "--json").stdout.splitlines()) == 2


def test_files_tell_the_same_as_kafka(told: tuple) -> None:
    stage, directory = told
    for command in (["sessions", "--json"], ["diff", "run-1", "run-dearer", "--json"]):
        of_files = run(*command, "--from", str(directory))
        assert of_files.stdout == on_kafka(stage, *command).stdout, of_files.stderr


def test_runs_that_differ_in_noise_alone_do_not_diverge(told: tuple) -> None:
    stage, _ = told
    result = on_kafka(stage, "diff", "run-1", "run-2")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.splitlines()[2].startswith("NO DIVERGENCE")
    assert "not compared:" in result.stdout


@pytest.mark.parametrize("other, change, path", [
    ("run-dearer", "changed_arguments", "input amount"),
    ("run-refused", "changed_result", "output state"),
])
def test_a_divergence_is_found_at_its_step(told: tuple, other: str, change: str, path: str) -> None:
    stage, _ = told
    result = on_kafka(stage, "diff", "run-1", other, "--json")
    assert result.returncode == 1, result.stderr
    diff = json.loads(result.stdout)
    first = diff["first_divergence"]
    assert first["change"] == change and first["a"]["kind"] == "tool"
    assert first["differences"][0]["what"] == path
    assert diff["edits"] == 1 and 0.9 < diff["similarity"] < 1


def test_an_unknown_session_is_not_found(told: tuple) -> None:
    stage, directory = told
    for arguments in (["diff", "run-1", "nobody"], ["report", "--session", "nobody"]):
        result = run(*arguments, "--from", str(directory))
        assert result.returncode == 3 and "nobody" in result.stderr
    assert on_kafka(stage, "tail", "--session", "nobody").returncode == 3


def test_the_report_adds_up_in_every_form(told: tuple, tmp_path: pathlib.Path) -> None:
    stage, _ = told
    report = json.loads(on_kafka(stage, "report", "--format", "json").stdout)
    assert report["spangate_report"] == 1
    totals = report["totals"]
    assert (totals["sessions"], totals["errors"]) == (5, 1)
    assert totals["cost_usd"] == pytest.approx(sum(one["cost_usd"] for one in report["sessions"]))
    for part in ("agents", "models", "tenants"):
        assert totals["cost_usd"] == pytest.approx(sum(one["cost_usd"] for one in report[part]))
    assert {tool["name"]: tool["tool_calls"] for tool in report["tools"]} == {"pay": 24, "fetch": 1}
    page = tmp_path / "report.html"
    assert on_kafka(stage, "report", "--format", "html", "-o", str(page)).returncode == 0
    assert "run-dearer" in page.read_text() and "<script" not in page.read_text()
    assert "Totals" in on_kafka(stage, "report").stdout


class Follower:
    """`tail --follow`, whose lines are stamped as they come."""

    def __init__(self, stage: Stage, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [str(gateway_module.binary()), "tail", "--follow", "--config",
             str(stage.gateway.config_file), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.lines: queue.Queue[tuple[float, str]] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.put((time.monotonic(), line))

    def seen(self, text: str, timeout_s: float) -> float | None:
        deadline = time.monotonic() + timeout_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                at, line = self.lines.get(timeout=left)
            except queue.Empty:
                return None
            if text in line:
                return at
        return None


@pytest.fixture()
def follower(told: tuple) -> Iterator[Callable[..., Follower]]:
    followers: list[Follower] = []

    def start(*arguments: str) -> Follower:
        followers.append(Follower(told[0], *arguments))
        return followers[-1]

    yield start
    for one in followers:
        one.process.terminate()
        assert one.process.wait(timeout=10) == 0


def send(stage: Stage, session_id: str, **over: Any) -> float:
    body = otlp.request([otlp.chat_span(session_id, **over)]).SerializeToString()
    assert otlp.post(stage.gateway.http_port, body).status == 200
    return time.monotonic()


def test_a_span_is_on_the_screen_half_a_second_after_it_was_accepted(
    told: tuple, follower: Callable[..., Follower]
) -> None:
    stage, _ = told
    tail = follower()
    for probe in range(50):  # until it has found the end of the topic
        send(stage, f"probe-{probe}")
        if tail.seen(f"probe-{probe}", 0.5):
            break
    latencies = []
    for number in range(20):
        replied_at = send(stage, f"live-{number}-end")
        seen_at = tail.seen(f"live-{number}-end", 10)
        assert seen_at is not None
        latencies.append(seen_at - replied_at)
    median, worst = statistics.median(latencies), max(latencies)
    print(f"reply to printed line: median {median * 1e3:.0f} ms, max {worst * 1e3:.0f} ms")
    assert median < LATENCY_S


def test_tail_follows_one_agent(told: tuple, follower: Callable[..., Follower]) -> None:
    stage, _ = told
    tail = follower("--agent", "wanted", "--since", "1m")
    send(stage, "other-agent", attributes={"gen_ai.agent.name": "unwanted"})
    send(stage, "own-agent", attributes={"gen_ai.agent.name": "wanted"})
    assert tail.seen("own-agent", 20) is not None
    assert tail.lines.empty()
