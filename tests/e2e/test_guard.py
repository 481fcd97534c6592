"""`spangate guard` on a real Kafka: what it tells, where, how soon; rebalance, kill -9, webhook."""

from __future__ import annotations

import http.server
import itertools
import json
import pathlib
import resource
import subprocess
import threading
import time
from typing import Any, Callable, Iterator

import pytest
import requests
from confluent_kafka import Producer

import contract
from gateway import Metrics, binary, run
from kafka_cluster import KafkaBroker, free_ports
from topic_reader import Record, TopicReader

PARTITIONS = 4
_numbers = itertools.count(1)


def rfc3339(at: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))
    return f"{whole}.{int(at % 1 * 1e9):09d}Z"


class Topics:
    """Topics of the test's own, and tool calls on them as a gateway would have written them."""

    def __init__(self, broker: KafkaBroker) -> None:
        number = next(_numbers)
        self.broker = broker
        self.operational, self.state = f"guard{number}.operational", f"guard{number}.state"
        broker.create_topics([self.operational], partitions=PARTITIONS)
        self._producer = Producer({
            "bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random", "linger.ms": 5,
        })
        self._events = itertools.count(1)
        self._ends: dict[str, float] = {}

    def call(self, session: str, args: str = "aa", result: str = "bb", **over: Any) -> str:
        number = next(self._events)
        # One after the other, however fast they are sent: calls that overlap are one round.
        now = self._ends[session] = max(time.time(), self._ends.get(session, 0) + 0.02)
        event = {
            "schema_version": 1, "event_id": f"{number:032x}", "event_class": "operational",
            "event_type": "tool_response", "timestamp": rfc3339(now), "time_source": "span",
            "ts_received": rfc3339(now), "tenant_id": "default", "session_id": session,
            "session_source": "session.id", "trace_id": f"{7:032x}", "span_id": f"{number:016x}",
            "gateway_id": "gw-1", "gateway_epoch": 1800000000000, "gateway_seq": number,
            "source": "span", "rules": "0123456789ab", "digest_key_id": "k1",
            "agent_name": "validator", "start_ts": rfc3339(now - 0.01), "end_ts": rfc3339(now),
            "duration_ms": 10.0, "outcome": "ok", "tool_name": "stripe_api.get_status",
            "args_digest": f"k1:{args}", "result_digest": f"k1:{result}",
            "cost_usd": 0.01, "counted": True,
        } | over
        self._producer.produce(
            self.operational, key=session, value=json.dumps(event), timestamp=int(now * 1000))
        self._producer.poll(0)
        return event["event_id"]

    def loop(self, session: str, count: int, pause_s: float = 0) -> None:
        for _ in range(count):
            self.call(session)
            if pause_s:
                self._producer.flush(10)
                time.sleep(pause_s)
        self._producer.flush(10)

    def reader(self) -> TopicReader:
        return TopicReader(self.broker.bootstrap, {"operational": self.operational})


class Guard:
    """One running `spangate guard`."""

    def __init__(self, directory: pathlib.Path, topics: Topics, **over: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        self.config_file, self.log_file = directory / "guard.yaml", directory / "log"
        self.config_file.write_text(json.dumps({
            "exporters": {"kafka": {
                "brokers": [topics.broker.bootstrap],
                "topics": {"operational": topics.operational},
            }},
            "guard": {
                "group": f"{topics.operational}-guard", "state_topic": topics.state,
                "endpoint": self.url.removeprefix("http://"), "state_interval": "1s",
            } | over,
            "log": {"format": "json"},
        }))
        self.process: subprocess.Popen | None = None

    def start(self, *flags: str) -> Guard:
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [str(binary()), "guard", "--config", str(self.config_file), *flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    def metrics(self) -> Metrics:
        return Metrics(requests.get(f"{self.url}/metrics", timeout=5).text)

    def wait_for(self, what: Callable[[Metrics], bool], timeout_s: float = 30) -> Guard:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                if what(self.metrics()):
                    return self
            except requests.RequestException:
                pass
            assert self.process is not None and self.process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.05)

    def wait_for_partitions(self, count: int = PARTITIONS) -> Guard:
        return self.wait_for(lambda now: now.total("spangate_guard_partitions") == count)

    def verdict(self, session: str) -> dict[str, Any]:
        return requests.get(f"{self.url}/guard/{session}", timeout=5).json()

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(30)

    def log(self) -> str:
        return self.log_file.read_text(errors="replace")


@pytest.fixture()
def topics(kafka: KafkaBroker) -> Topics:
    return Topics(kafka)


@pytest.fixture()
def make_guard(tmp_path: pathlib.Path, topics: Topics) -> Iterator[Callable[..., Guard]]:
    guards: list[Guard] = []

    def make(**over: Any) -> Guard:
        guards.append(Guard(tmp_path / f"guard{len(guards)}", topics, **over))
        return guards[-1]

    yield make
    for guard in guards:
        if guard.process is not None and guard.process.poll() is None:
            guard.kill()


def signals(records: list[Record], session: str) -> list[dict[str, Any]]:
    return [record.event for record in records
            if record.key == session and record.event["source"] == "guard"]


def repeats_told(records: list[Record], session: str) -> list[tuple[str, str]]:
    """(event_id, severity) of the L1 tellings, in their order on the topic."""
    return [(event["event_id"], event["severity"]) for event in signals(records, session)
            if event["policy_source"] == "guard:L1"]


def test_a_loop_is_told_within_a_second_on_the_sessions_partition(
    topics: Topics, make_guard: Callable[..., Guard]
) -> None:
    guard = make_guard().start().wait_for_partitions()
    reader = topics.reader()
    topics.loop("sess-1", 6, pause_s=0.05)
    sent_at = time.monotonic()
    records = reader.wait_for(lambda all: len(repeats_told(all, "sess-1")) == 2, timeout_s=30)
    took_s = time.monotonic() - sent_at
    print(f"told {took_s:.2f} s after the loop's last step")
    assert took_s < 15

    fields = contract.operational_fields()
    for record in records:
        if record.event["source"] == "guard":
            contract.check_record(record, fields)
    contract.check_partitions(records)
    assert not [hole for hole in contract.unexplained_holes(records) if "gw-1" not in hole]
    first, last = [event for event in signals(records, "sess-1")
                   if event["policy_source"] == "guard:L1"]
    assert (first["signal"], first["severity"], first["policy_decision"]) == (
        "loop_suspected", "warning", "flag")
    assert (last["severity"], last["policy_decision"], last["repeat_count"]) == ("critical", "stop", 6)
    assert last["gateway_id"] == f"{topics.operational}-guard"
    assert abs(last["cost_so_far_usd"] - 0.06) < 1e-9
    known = {record.event["event_id"] for record in records}
    assert {last["first_event_id"], last["last_event_id"]} <= known

    verdict = guard.verdict("sess-1")
    assert (verdict["verdict"], verdict["known"]) == ("stop", True)
    assert abs(verdict["cost_usd"] - 0.06) < 1e-9
    assert "L1" in {reason["signal"] for reason in verdict["reasons"]}
    assert guard.verdict("nobody") | {"tenant_id": ""} == {
        "verdict": "ok", "known": False, "reasons": [], "session_id": "nobody", "tenant_id": ""}
    assert guard.metrics().total("spangate_loop_suspected_total", signal="L1") == 2
    assert "sess-1" not in guard.metrics().text
    assert guard.stop() == 0
    reader.close()


def test_kill_9_in_the_middle_of_a_loop_tells_nothing_twice_and_misses_nothing(
    topics: Topics, make_guard: Callable[..., Guard]
) -> None:
    # Long intervals: what is not told stays unsaved, and is read again.
    guard = make_guard(state_interval="1m").start().wait_for_partitions()
    reader = topics.reader()
    topics.loop("warned", 4)
    topics.loop("quiet", 2)
    reader.wait_for(lambda all: len(repeats_told(all, "warned")) == 1)
    guard.wait_for(lambda now: now.total("spangate_guard_state_records_total") >= 1)
    guard.kill()
    topics.loop("warned", 2)
    topics.loop("quiet", 4)

    guard.start().wait_for_partitions()
    records = reader.wait_for(
        lambda all: len(repeats_told(all, "warned")) >= 2 and len(repeats_told(all, "quiet")) >= 2)
    time.sleep(1)
    records = reader.refresh()
    for session in ("warned", "quiet"):
        told = repeats_told(records, session)
        assert len(set(told)) == 2, told  # a repeat after a crash has the same event_id
        assert [severity for _, severity in dict.fromkeys(told)] == ["warning", "critical"]
    assert guard.metrics().total("spangate_guard_state_restored_total") >= 1
    assert guard.verdict("warned")["verdict"] == "stop"
    reader.close()


def test_a_second_guard_takes_over_partitions_in_the_middle_of_loops(
    topics: Topics, make_guard: Callable[..., Guard]
) -> None:
    first = make_guard().start().wait_for_partitions()
    reader = topics.reader()
    sessions = [f"sess-{i}" for i in range(12)]  # on all partitions
    for session in sessions:
        topics.loop(session, 2)
    first.wait_for(lambda now: now.total("spangate_guard_records_total", outcome="observed") == 24)

    second = make_guard().start()
    second.wait_for_partitions(PARTITIONS // 2)
    first.wait_for_partitions(PARTITIONS // 2)
    for session in sessions:
        topics.loop(session, 4)
    complete = lambda all: all_told(all, sessions)
    records = reader.wait_for(complete, timeout_s=30)
    for session in sessions:
        told = repeats_told(records, session)
        assert [severity for _, severity in told] == ["warning", "critical"], (session, told)
    # Each answers for all sessions, its own and the other's.
    for guard in (first, second):
        deadline = time.monotonic() + 10
        while {guard.verdict(session)["verdict"] for session in sessions} != {"stop"}:
            assert time.monotonic() < deadline, [guard.verdict(session) for session in sessions]
            time.sleep(0.1)
        assert 0 < guard.metrics().total("spangate_guard_sessions") < len(sessions)

    # A guard that is stopped gives its partitions and its sessions back.
    assert first.stop() == 0
    second.wait_for_partitions(PARTITIONS)
    second.wait_for(lambda now: now.total("spangate_guard_sessions") == len(sessions))
    assert {second.verdict(session)["verdict"] for session in sessions} == {"stop"}
    time.sleep(0.5)
    assert len([r for r in reader.refresh() if r.event["source"] == "guard"]) == len(
        [r for r in records if r.event["source"] == "guard"])
    reader.close()


def all_told(records: list[Record], sessions: list[str]) -> bool:
    return all(len(repeats_told(records, session)) == 2 for session in sessions)


def test_the_webhook_hears_each_signal(topics: Topics, make_guard: Callable[..., Guard]) -> None:
    heard: list[tuple[str, dict[str, Any]]] = []
    refusals = itertools.chain([503], itertools.repeat(204))

    class Hook(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status = next(refusals)
            if status == 204:
                heard.append((self.path, body))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    guard = make_guard(webhook=f"http://127.0.0.1:{server.server_port}/hook").start()
    guard.wait_for_partitions()
    topics.loop("sess-1", 6)
    guard.wait_for(lambda now: now.total("spangate_guard_webhook_total", outcome="delivered")
                   == now.total("spangate_loop_suspected_total") > 0)
    server.shutdown()
    assert {path for path, _ in heard} == {"/hook"}
    body = next(body for _, body in heard if body["code"] == "L1" and body["severity"] == "critical")
    assert (body["session_id"], body["signal"], body["repeats"]) == ("sess-1", "loop_suspected", 6)
    assert "/hook" not in guard.log()


def test_once_reads_what_is_there_and_writes_nothing(topics: Topics, tmp_path: pathlib.Path) -> None:
    reading = ["guard", "--once", "--config", str(Guard(tmp_path, topics).config_file)]
    assert run(*reading).returncode == 0
    topics.loop("warned\x1b[31m", 4)
    once = run(*reading)
    assert once.returncode == 1, once.stderr
    assert "L1" in once.stdout and "\x1b" not in once.stdout
    topics.loop("sess-2", 7)
    once = run(*reading)
    assert once.returncode == 6
    assert "critical L1" in once.stdout and "11 records of 2 sessions" in once.stderr
    reader = topics.reader()
    assert not [record for record in reader.refresh() if record.event["source"] == "guard"]
    reader.close()


def test_what_an_event_costs(topics: Topics, make_guard: Callable[..., Guard]) -> None:
    count, sessions = 20_000, 200
    for i in range(count):
        topics.call(f"sess-{i % sessions}", args=f"{i:x}", result=f"{i:x}")
    topics.loop("sess-0", 1)
    guard = make_guard().start()
    began = time.monotonic()
    guard.wait_for(
        lambda now: now.total("spangate_guard_records_total", outcome="observed") > count, 60)
    took_s = time.monotonic() - began
    assert guard.process is not None
    status = pathlib.Path(f"/proc/{guard.process.pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert guard.stop() == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"{cpu_s / count * 1e6:.1f} µs of CPU an event, start and end included; "
          f"{count / took_s:.0f} events/s; {resident.split(':')[1].strip()} at most")
    assert cpu_s / count < 1e-3


def test_a_guard_says_what_it_lacks(topics: Topics, tmp_path: pathlib.Path) -> None:
    topics.broker.create_topics([topics.state], partitions=1)
    guard = Guard(tmp_path, topics)
    config = ["--config", str(guard.config_file)]
    lacking = run("guard", *config)
    assert lacking.returncode == 2 and "has 1 partitions" in lacking.stderr
    off = Guard(tmp_path / "off", topics, enabled=False)
    assert run("guard", "--config", str(off.config_file)).returncode == 2
