"""`spangate explain`: what becomes of each span and log record, and why; nothing of it is content."""

from __future__ import annotations

import gzip
import json
import os
import pathlib
import re
import struct
import subprocess
from typing import Any

import pytest

from captured import CAPTURES, INDEX, SECRETS
from gateway import ROOT, binary, run
from otlp import Request, request, span, to_json
from otlp_logs import log, logs_request

GREEN, USAGE, INPUT = 0, 2, 5
COLUMNS = 100
GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
FILES = [(capture, entry["file"], entry["signal"])
         for capture, entries in INDEX["captures"].items() for entry in entries]
OTLP_FILES = [pytest.param(CAPTURES / capture / file, id=f"{capture}-{file}")
              for capture, file, signal in FILES if signal in ("traces", "logs")]
METRICS_FILES = [pytest.param(CAPTURES / capture / file, id=f"{capture}-{file}")
                 for capture, file, signal in FILES if signal == "metrics"]

TRACE = bytes(range(16))
IN_HOUSE_RULES = """\
  - id: acme
    priority: 5
    detect: {any: [{attr: acme.step.kind, exists: true}]}
    rules:
      - when: {attr: acme.step.kind, eq: tool}
        emit: [{event: tool_request, at: start}, {event: tool_response, at: end}]
    fields:
      tool_name: [acme.tool]
"""


def explain(*arguments: Any, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [str(binary()), "explain", *map(str, arguments)], input=stdin, capture_output=True,
        timeout=120, env=os.environ | environment)


def lines_of(*arguments: Any, stdin: bytes = b"") -> list[dict[str, Any]]:
    result = explain("--json", *arguments, stdin=stdin)
    assert result.returncode == GREEN, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def items_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [line for line in lines if line["kind"] in ("span", "log")]


def fields_of(item: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {field["name"]: field for field in item["fields"]}


def chat(**over: Any) -> bytes:
    attributes = {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "OpenAI",
        "gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 20, "gen_ai.response.finish_reasons": ["end_turn"],
        "gen_ai.conversation.id": "conv-7",
        "session.id": "another", "gen_ai.input.messages": '[{"role":"user"}]',
        "acme.note": "jane.doe@example.com", "enduser.id": "jane"} | over
    made = span("chat gpt-4o", attributes, trace_id=TRACE)
    made.span_id = bytes(range(1, 9))
    made.start_time_unix_nano = 1_790_000_000_000_000_000
    made.end_time_unix_nano = 1_790_000_001_250_000_000
    return request([made], {"service.name": "shop"}).SerializeToString()


def tool_log() -> bytes:
    record = log("claude_code.tool_result", {
        "event.name": "tool_result", "session.id": "conv-8", "tool_name": "Bash", "success": "false",
        "duration_ms": "120", "error": "no such file", "user.email": "jane.doe@example.com"},
        body="claude_code.tool_result", time_unix_nano=1_790_000_000_000_000_000)
    return logs_request([record]).SerializeToString()


def golden_text(result: subprocess.CompletedProcess) -> str:
    """Without what a change of a built-in table changes: its version, and the lines in it."""
    text = re.sub(r"^((?:conventions|prices) .*)\(.*\)", r"\1(…)", result.stdout.decode(), flags=re.M)
    text = re.sub(r"\b(common|[a-z_]+):\d+", r"\1:N", text)
    text = re.sub(r"\d{4}-\d\d-\d\d-h[0-9a-f]{8}", "VERSION", text)
    return re.sub(r"\bline \d+", "line N", text)


@pytest.mark.parametrize("file", OTLP_FILES)
def test_every_capture_is_explained_without_its_content(file: pathlib.Path) -> None:
    result = explain(file)
    assert result.returncode == GREEN, result.stderr
    text = result.stdout.decode()
    assert "\x1b" not in text
    assert max(map(len, text.splitlines()[3:])) <= COLUMNS
    for name, secret in SECRETS.items():
        assert secret not in text, name
    lines = lines_of(file)
    assert lines[0]["kind"] == "tables" and lines[-1]["kind"] == "totals"
    totals = lines[-1]
    items = items_of(lines)
    assert totals["items"] == len(items) > 0
    assert sum(totals["sessions"].values()) == sum(item["fate"] == "kept" for item in items)
    for name, secret in SECRETS.items():
        assert not any(secret in json.dumps(line) for line in lines), name


@pytest.mark.parametrize("file", METRICS_FILES)
def test_metrics_are_told_to_be_metrics(file: pathlib.Path) -> None:
    result = explain(file)
    assert result.returncode == INPUT
    assert b"metrics make no events" in result.stderr


@pytest.mark.parametrize("name, body", [("chat", chat), ("tool_log", tool_log)])
def test_the_text_is_as_it_was_read_and_liked(name: str, body: Any) -> None:
    result = explain("-", stdin=body())
    assert result.returncode == GREEN, result.stderr
    file = GOLDEN / f"explain_{name}.txt"
    assert golden_text(result) == file.read_text()


def test_a_field_tells_its_key_and_what_was_sent(tmp_path: pathlib.Path) -> None:
    item, = items_of(lines_of(stdin=chat()))
    fields = fields_of(item)
    assert fields["finish_reason"]["value"] == "stop"
    assert fields["finish_reason"]["raw"] == "end_turn"
    assert fields["provider"]["from"] == "gen_ai.provider.name"
    line = (ROOT / "config" / "conventions.yaml").read_text().splitlines()[
        fields["provider"]["line"] - 1]
    assert "gen_ai.provider.name" in line
    assert fields["cost_usd"]["origin"] == "computed"
    assert fields["cost_usd"]["from"].startswith("price table ")
    assert fields["outcome"] == {
        "name": "outcome", "value": "ok", "origin": "derived", "from": "span status"}
    assert item["session"]["source"] == "gen_ai.conversation.id"
    assert item["session"]["other_keys"][0]["key"] == "session.id"
    rule = (ROOT / "config" / "conventions.yaml").read_text().splitlines()[item["rule_line"] - 1]
    assert "when" in rule


@pytest.mark.parametrize("wrap", [
    lambda body: body, gzip.compress,
    lambda body: struct.pack(">BI", 0, len(body)) + body,
    lambda body: struct.pack(">BI", 1, len(gzip.compress(body))) + gzip.compress(body),
], ids=["plain", "gzip", "grpc", "grpc-gzip"])
@pytest.mark.parametrize("body", [chat, tool_log], ids=["traces", "logs"])
def test_a_body_is_found_in_whatever_it_is_wrapped(wrap: Any, body: Any) -> None:
    plain = [line for line in lines_of(stdin=body()) if line["kind"] != "body"]
    wrapped = [line for line in lines_of(stdin=wrap(body())) if line["kind"] != "body"]
    assert plain == wrapped


def test_json_lines_of_a_collector_are_several_bodies() -> None:
    one = to_json(Request.FromString(chat()))
    one = json.dumps(json.loads(one)).encode()
    assert lines_of(stdin=one + b"\n" + one + b"\n")[-1]["bodies"] == 2


@pytest.mark.parametrize("bytes_, words", [
    (b"", "it is empty"),
    (b"<html></html>", "HTML"),
    (b"hello there", "plain text"),
    (b'{"hello": 1}', "neither resourceSpans nor resourceLogs"),
    (b"[1, 2]", "JSON array"),
    (b"\x1f\x8b\x08broken", "begins like gzip"),
    (b"\xff\xfe\x00\x01" * 5, "neither JSON nor such protobuf"),
    (b'{"resourceSpans": [', "it looked like JSON, traces"),
])
def test_what_is_no_otlp_is_told_what_it_looks_like(bytes_: bytes, words: str) -> None:
    result = explain("-", stdin=bytes_)
    assert result.returncode == INPUT
    assert words in result.stderr.decode(), result.stderr


def test_several_files_are_one_stream(tmp_path: pathlib.Path) -> None:
    first, second = tmp_path / "first.bin", tmp_path / "second.bin"
    first.write_bytes(chat())
    keyless = span("chat again", {"gen_ai.operation.name": "chat"}, trace_id=TRACE)
    second.write_bytes(request([keyless]).SerializeToString())
    alone, = items_of(lines_of(second))
    assert alone["session"]["bound_by"] == "trace_id"
    _, later = items_of(lines_of(first, second))
    assert (later["session"]["bound_by"], later["session"]["id"]) == ("trace_memory", "conv-7")
    aliased = lines_of(second, first)
    assert aliased[-1]["aliases"] == 2


def test_the_way_from_unknown_keys_to_a_rule_of_ones_own(tmp_path: pathlib.Path) -> None:
    body = tmp_path / "body.bin"
    step = span("step 4", {"acme.step.kind": "tool", "acme.tool": "ship_order"}, trace_id=TRACE)
    body.write_bytes(request([step]).SerializeToString())
    # Nobody knows these keys: the span says nothing, and the keys are told as candidates.
    before = lines_of(body)
    item, = items_of(before)
    assert item["fate"] == "dropped_other"
    assert before[-1]["unnamed_keys"].keys() >= {"span acme.step.kind", "span acme.tool"}
    assert b"acme.step.kind" in explain(body).stdout
    # A rule of one's own, in a copy of the built-in table.
    built_in = (ROOT / "config" / "conventions.yaml").read_text()
    own = tmp_path / "conventions.yaml"
    own.write_text(re.sub(r"^conventions:.*\n", lambda m: m[0] + IN_HOUSE_RULES, built_in, flags=re.M))
    after = lines_of("--conventions", own, body)
    item, = items_of(after)
    assert item["fate"] == "kept" and item["convention"] == "acme"
    assert [event["type"] for event in item["events"]] == ["tool_request", "tool_response"]
    assert "when: {attr: acme.step.kind" in own.read_text().splitlines()[item["rule_line"] - 1]
    assert fields_of(item)["tool_name"]["from"] == "acme.tool"
    assert "span acme.tool" not in after[-1]["unnamed_keys"]


def test_content_is_printed_only_when_asked_for() -> None:
    assert b"jane.doe@example.com" not in explain("-", stdin=chat()).stdout
    assert b"jane.doe@example.com" in explain("--show-content", "-", stdin=chat()).stdout


def test_what_is_printed_can_be_chosen() -> None:
    codex = CAPTURES / "codex-cli" / "0001.traces.bin"
    tools = items_of(lines_of("--only", "tool_response", codex))
    assert tools and all(
        any(event["type"] == "tool_response" for event in item["events"]) for item in tools)
    one, = items_of(lines_of("--span", tools[0]["span_id"], codex))
    assert one == tools[0]
    assert not items_of(lines_of("--totals", codex))


@pytest.mark.parametrize("arguments, words", [
    (["--only", "opentelemtry"], "a convention ("),
    (["--signal", "metrics"], "traces or logs"),
    (["--config", "/nowhere.yaml"], "nowhere.yaml"),
])
def test_a_mistake_in_the_command_is_told(arguments: list[str], words: str) -> None:
    result = run("explain", *arguments)
    assert result.returncode == USAGE
    assert words in result.stderr


def test_a_bad_table_is_told_with_its_places(tmp_path: pathlib.Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("schema: agent-semantics/2\nconvetions: []\n")
    result = explain("--conventions", bad, "-", stdin=chat())
    assert result.returncode == USAGE
    assert re.search(rb"bad\.yaml:2:\d+: ", result.stderr)


def test_a_file_that_is_not_there_is_bad_input(tmp_path: pathlib.Path) -> None:
    result = explain(tmp_path / "none.bin")
    assert result.returncode == INPUT
    assert b"none.bin: cannot be read" in result.stderr
