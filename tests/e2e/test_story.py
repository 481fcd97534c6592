"""The invoice story, sent by a real OpenTelemetry SDK and replayed from a real Kafka: every view says why
it looped, what it cost and what stopped it; and one changed record makes exactly one finding."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from typing import Any, Callable, Iterable

import pytest

import gateway as gateway_module
from invoice_story import PAYMENTS, SESSION, InvoiceStory, Told
from kafka_cluster import KafkaBroker
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from stage import Stage
from topic_reader import CLASSES, Record

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
REPLAY_TIMEOUT_S = 60

# What differs from run to run, and what stands in its place in the stored views.
VARYING = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z(?=\"?,?\"?(received|made))"), "TIME"),
    (re.compile(r'("ts_received":")[^"]*'), r"\1TIME"),
    (re.compile(r'("received_at":")[^"]*'), r"\1TIME"),
    (re.compile(r'("made_at":")[^"]*'), r"\1TIME"),
    (re.compile(r'("gateway_id":")[^"]*'), r"\1GATEWAY"),
    (re.compile(r'("gateway_epoch":)\d+'), r"\1 0"),
    (re.compile(r'("(?:evidence_)?commitment":")[0-9a-f]{64}'), r"\1COMMITMENT"),
    (re.compile(r"up to \d+ h after"), "up to HOURS h after"),
    (re.compile(r'("command":")[^\n]*?"(?=,|\n)'), r'\1COMMAND"'),
]
RECEIVED = re.compile(r'("ts_received":")[^"]*')


def normal(text: str) -> str:
    for pattern, standing in VARYING:
        text = pattern.sub(standing, text)
    return text


def spangate(*arguments: str, codes: Iterable[int] = (0, 1, 6)) -> str:
    done = subprocess.run(
        [str(gateway_module.binary()), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=REPLAY_TIMEOUT_S, env={"NO_COLOR": "1", "PATH": "/usr/bin:/bin"})
    assert done.returncode in codes, done.stderr
    return done.stdout


class Story:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.told: Told = InvoiceStory(
            OTLPSpanExporter(endpoint=f"{stage.gateway.http_url}/v1/traces")).tell()
        self.records = stage.reader.of_session(SESSION)

    def replay(self, form: str, *more: str) -> str:
        return spangate("replay", SESSION, "--config", str(self.stage.gateway.config_file),
                        "--format", form, *more)


@pytest.fixture(scope="module")
def story(kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Story:
    return Story(make_stage(kafka))


@pytest.fixture(scope="module")
def view(story: Story) -> dict[str, Any]:
    return json.loads(story.replay("json"))


def held_against(name: str, text: str) -> None:
    """Run with SPANGATE_WRITE_GOLDEN=1 to store what is now; then read the difference."""
    import os
    path = GOLDEN / name
    if os.environ.get("SPANGATE_WRITE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text(), f"{name} differs from what is stored"


def test_the_text_is_what_is_stored(story: Story) -> None:
    held_against("story.txt", normal(story.replay("text")))


def test_the_json_is_what_is_stored(story: Story) -> None:
    held_against("story.json", normal(story.replay("json")))


def test_it_says_why_it_looped(story: Story, view: dict[str, Any]) -> None:
    loops = {loop["signal_name"]: loop for loop in view["loops"]}
    retries = loops["uncorrected_retry"] if "uncorrected_retry" in loops \
        else loops["no_progress_repeat"]
    assert retries["severity"] == "critical" and retries["state_unchanged"]
    calls = [step for step in view["steps"] if step.get("tool_name") == PAYMENTS]
    assert len(calls) == story.told.calls
    assert len({step["args_digest"] for step in calls}) == 1
    assert len({step["result_digest"] for step in calls}) == 1
    assert PAYMENTS in story.replay("text")


def test_it_says_what_it_cost(story: Story, view: dict[str, Any]) -> None:
    assert view["totals"]["cost_usd"] == pytest.approx(story.told.cost_usd)
    assert view["totals"]["inferences"] == story.told.inferences
    assert view["totals"]["budget_left"] == pytest.approx(0.05)
    costs = [step["cost_sum_usd"] for step in view["steps"] if "cost_sum_usd" in step]
    assert costs == sorted(costs) and costs[-1] == pytest.approx(story.told.cost_usd)


def test_it_says_what_stopped_it(story: Story, view: dict[str, Any]) -> None:
    stops = [step for step in view["steps"] if step["kind"] == "policy"]
    assert [step["policy"]["decision"] for step in stops] == ["stop", "ask", "allow"]
    assert story.told.stopped_by in stops[0]["what"]
    assert {loop.get("stop_step") for loop in view["loops"]
            if loop["signal"] in ("L1", "L6")} == {stops[0]["step"]}


def test_it_shows_the_branch_not_taken_and_who_took_over(
        story: Story, view: dict[str, Any]) -> None:
    decision = next(step for step in view["steps"] if step["kind"] == "decision")
    assert decision["decision"]["chosen"] == story.told.chosen
    assert decision["decision"]["options"] == list(story.told.options)
    lanes = [lane["agent_name"] for lane in view["lanes"]]
    assert lanes == ["planner", "validator", story.told.fallback]
    assert [(lanes[h["from_lane"]], lanes[h["to_lane"]]) for h in view["handoffs"]][:1] == [
        ("planner", "validator")]
    assert ("validator", story.told.fallback) in [
        (lanes[h["from_lane"]], lanes[h["to_lane"]]) for h in view["handoffs"]]


def test_the_session_is_complete(view: dict[str, Any]) -> None:
    assert view["completeness"]["complete"]
    assert {finding["kind"] for finding in view["findings"]} == {"loop", "late"}  # told long after


def test_the_page_holds_the_story_and_asks_nobody(story: Story) -> None:
    page = story.replay("html")
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?:https?:)?//""", page)
    for told in (PAYMENTS, story.told.stopped_by, story.told.fallback, story.told.chosen):
        assert told in page
    assert "DE89370400440532013000" not in page  # redacted, as in detail


# One record changed ───────────────────────────────────────────────────────────────────────────────


def write_files(directory: pathlib.Path, records: dict[str, list[Record]],
                change: Callable[[list[str]], list[str]] | None) -> None:
    directory.mkdir()
    for name in CLASSES:
        # As if it had come long ago: what has just been received may still be on its way.
        lines = [RECEIVED.sub(r'\g<1>2026-09-21T14:15:59.000000000Z', record.raw.decode())
                 for record in records[name]]
        if change is not None and name == "operational":
            lines = change(lines)
        (directory / f"{name}.jsonl").write_text("".join(f"{line}\n" for line in lines))


def victim(lines: list[str]) -> int:
    """The response of the fourth call: well inside the story."""
    responses = [i for i, line in enumerate(lines)
                 if json.loads(line)["event_type"] == "tool_response"]
    return responses[3]


def dropped(lines: list[str]) -> list[str]:
    at = victim(lines)
    return lines[:at] + lines[at + 1:]


def repeated(lines: list[str]) -> list[str]:
    at = victim(lines)
    return lines[:at + 1] + lines[at:]


def swapped(lines: list[str]) -> list[str]:
    at = victim(lines)
    return lines[:at] + [lines[at + 1], lines[at]] + lines[at + 2:]


def edited_copy(lines: list[str]) -> list[str]:
    at = victim(lines)
    other = json.loads(lines[at]) | {"outcome": "timeout"}
    return lines[:at + 1] + [json.dumps(other)] + lines[at + 1:]


def truncated(lines: list[str]) -> list[str]:
    at = victim(lines)
    return lines[:at] + [lines[at][:len(lines[at]) // 2]] + lines[at + 1:]


@pytest.mark.parametrize("change, kinds", [
    (None, set()),
    (dropped, {"class_missing"}),
    (repeated, {"duplicate"}),
    (swapped, {"out_of_order"}),
    (edited_copy, {"conflict"}),
    (truncated, {"class_missing"}),  # a torn line of a file tells no session
], ids=lambda value: getattr(value, "__name__", ""))
def test_one_changed_record_makes_its_finding(
        change: Callable[[list[str]], list[str]] | None, kinds: set[str], story: Story,
        tmp_path: pathlib.Path) -> None:
    write_files(tmp_path / "files", story.records, change)
    found = json.loads(spangate("replay", SESSION, "--from", str(tmp_path / "files"), "--format", "json"))
    told = {finding["kind"] for finding in found["findings"]} - {"loop"}
    assert told == kinds, found["findings"]
