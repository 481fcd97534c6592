#!/usr/bin/env python3
"""How long a session takes to be read back, and what it costs.

    load/run.sh replay [BUILD] [--gigabytes 10] [--steps 1000] [--events 100000] [--directory DIR]

Starts a real Kafka in DIR (default: a temporary directory on disk), fills the operational topic with
`gigabytes` of other sessions' records, uncompressed, with one session of `steps` tool calls in the
middle, and times `spangate replay`: with --since, where the broker seeks by time, and without, where the
whole partition has to be read, as Kafka has no index by key. Then a session of `events` events (and half
as many detail records) from JSONL files: CPU and peak RSS of each form. Prints one table.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any, Iterator

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "tests" / "harness")]

from confluent_kafka import Producer  # noqa: E402

from kafka_cluster import KafkaBroker  # noqa: E402

SESSION = "bench-session"
TENANT = "default"
TURNS = 5
FORMS = ("text", "json", "html", "perfetto")


def stamp(ns: int) -> str:
    seconds, rest = divmod(ns, 1_000_000_000)
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def call_events(session: str, began_ns: int, count: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """(class, event) of `count` tool calls, two operational events and one detail each."""
    for call in range(count):
        start, end = began_ns + call * 50_000_000, began_ns + call * 50_000_000 + 40_000_000
        head = {
            "schema_version": 1, "time_source": "span", "ts_received": stamp(end),
            "tenant_id": TENANT, "session_id": session, "session_source": "gen_ai.conversation.id",
            "trace_id": f"{call // 100 + 1:032x}", "span_id": f"{call + 1:016x}",
            "gateway_id": "bench-1", "gateway_epoch": 1, "source": "span", "rules": "0" * 12,
            "digest_key_id": "0000", "service_name": "bench", "agent_name": f"agent-{call % 3}",
            "tool_name": f"tool.number_{call % 7}", "tool_call_id": f"call_{call}",
            "args_digest": f"0000:{call:032x}", "start_ts": stamp(start)}
        primary = f"{2 * call + 2:032x}"
        yield "operational", head | {
            "event_id": f"{2 * call + 1:032x}", "event_class": "operational",
            "event_type": "tool_request", "timestamp": stamp(start), "gateway_seq": 2 * call + 1,
            "primary_event_id": primary, "classes": ["operational"]}
        response = head | {
            "event_id": primary, "event_type": "tool_response", "timestamp": stamp(end),
            "gateway_seq": 2 * call + 2, "end_ts": stamp(end), "duration_ms": 40, "outcome": "ok",
            "result_digest": f"0000:{call + 7:032x}", "classes": ["operational", "detail"]}
        yield "operational", response | {"event_class": "operational"}
        yield "detail", response | {
            "event_class": "detail", "name": "execute_tool", "kind": "internal",
            "attributes": {"gen_ai.tool.call.arguments": json.dumps({"number": call, "text": "x" * 200}),
                           "gen_ai.tool.call.result": json.dumps({"sum": call * 7, "rows": ["y" * 300]})},
            "resource": {"service.name": "bench"}, "scope": {"name": "bench"},
            "redaction": {"ruleset": "0" * 12, "counts": {}}}


def line_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


class Measured:
    """One run of the program: wall and CPU seconds, peak RSS."""

    def __init__(self, command: list[str]) -> None:
        began = time.monotonic()
        with open(os.devnull, "wb") as nothing:
            process = subprocess.Popen(command, stdout=nothing, stderr=subprocess.PIPE)
            told = process.stderr.read().decode()
            _, status, usage = os.wait4(process.pid, 0)
        self.wall_s = time.monotonic() - began
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.rss_mib = usage.ru_maxrss / 1024
        assert os.waitstatus_to_exitcode(status) in (0, 1, 6), told


def measure(what: str, command: list[str], turns: int = TURNS) -> None:
    runs = [Measured(command) for _ in range(turns)]
    print(f"| {what:<52} | {statistics.median(r.wall_s for r in runs):6.2f} "
          f"| {statistics.median(r.cpu_s for r in runs):5.2f} "
          f"| {max(r.rss_mib for r in runs):5.0f} |", flush=True)


def fill(producer: Producer, topic: str, gigabytes: float, received_ns: int) -> None:
    """Records of other sessions, each of about a kilobyte."""
    template = line_of(next(event for name, event in call_events("S" * 12, received_ns, 1)
                            if name == "operational") | {"step": "p" * 300})
    count = int(gigabytes * 1e9 / len(template))
    for number in range(count):
        key = b"other-%06d" % (number % 500_000)
        while True:
            try:
                producer.produce(topic, template.replace(b"S" * 12, key), key,
                                 timestamp=received_ns // 1_000_000)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 10_000 == 0:
            producer.poll(0)
    producer.flush()


def bench_kafka(binary: str, directory: pathlib.Path, gigabytes: float, steps: int) -> None:
    broker = KafkaBroker(directory / "broker").start()
    try:
        topics = {name: f"agent.{name}" for name in ("operational", "detail", "evidence")}
        broker.create_topics(list(topics.values()))
        producer = Producer({"bootstrap.servers": broker.bootstrap, "linger.ms": 50,
                             "partitioner": "murmur2_random", "batch.size": 900_000,
                             "queue.buffering.max.kbytes": 262_144})
        now = time.time_ns()
        fill(producer, topics["operational"], gigabytes / 2, now - 7_200_000_000_000)
        session_ns = now - 3_600_000_000_000
        for name, event in call_events(SESSION, session_ns, steps):
            producer.produce(topics[name], line_of(event), SESSION.encode(),
                             timestamp=session_ns // 1_000_000)
        producer.flush()
        fill(producer, topics["operational"], gigabytes / 2, now - 1_800_000_000_000)
        replay = [binary, "replay", SESSION, "--brokers", broker.bootstrap, "--format", "text"]
        what = f"{steps} steps, {gigabytes:g} GB topic of 6 partitions"
        measure(f"{what}, --since 75m", [*replay, "--since", "75m"])
        measure(f"{what}, whole partition", replay, 1)
    finally:
        broker.kill()


def bench_files(binary: str, directory: pathlib.Path, events: int) -> None:
    files = directory / "files"
    files.mkdir()
    with open(files / "operational.jsonl", "wb") as operational, \
            open(files / "detail.jsonl", "wb") as detail:
        began_ns = time.time_ns() - 86_400_000_000_000
        for name, event in call_events(SESSION, began_ns, events // 2):
            (operational if name == "operational" else detail).write(line_of(event) + b"\n")
    for form in FORMS:
        measure(f"{events} events from files, {form}",
                [binary, "replay", SESSION, "--from", str(files), "--format", form], 3)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--gigabytes", type=float, default=10)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--directory")
    arguments = parser.parse_args()
    binary = str(pathlib.Path(arguments.build) / "spangate")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="replay-bench-", dir=arguments.directory))
    print(f"| {'medians':<52} | wall s | CPU s | RSS MiB, most |")
    try:
        bench_files(binary, directory, arguments.events)
        if arguments.gigabytes > 0:
            bench_kafka(binary, directory, arguments.gigabytes, arguments.steps)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
