"""The daemon as its operator meets it: ledger, drain, reload, logs, commands."""

from __future__ import annotations

import json
import pathlib
import re
import signal
import threading
import time
from typing import Any, Callable

import pytest
import requests

import contract
import gateway as gateway_module
import otlp
from event_message import event_message
from gateway import HASH_KEY, run
from kafka_cluster import PASSWORD, USER, KafkaBroker, free_ports
from otlp import chat_span, post, request, span
from stage import Stage, kafka_config, topics_named

GREEN, FINDINGS, USAGE, INPUT_FAULT = 0, 1, 2, 5


def body_of(session_id: str, **over: Any) -> bytes:
    return request([chat_span(session_id, **over)]).SerializeToString()


def test_the_ledger_balances_at_rest(stage: Stage, session_id: str) -> None:
    spans = [chat_span(session_id) for _ in range(20)]
    spans += [span("GET /", {"http.request.method": "GET"}) for _ in range(5)]  # dropped: no agent
    spans += [chat_span(session_id, span_id=b"short")]
    post(stage.gateway.http_port, request(spans).SerializeToString()).response()
    post(stage.gateway.http_port, b"\xff")
    stage.gateway.wait_until_at_rest()
    metrics = stage.gateway.metrics()
    assert metrics.faults() == []
    assert metrics.total("spangate_items_received_total", signal="traces") >= 26
    assert metrics.total("spangate_items_dropped_total", reason="other") >= 5
    for event_class in ("operational", "detail", "evidence"):
        delivered = metrics.total("spangate_records_delivered_total", **{"class": event_class})
        in_topic = sum(1 for r in stage.reader.refresh() if r.event_class == event_class)
        assert delivered == in_topic


def test_own_attributes_set_by_hand_are_understood(stage: Stage, session_id: str) -> None:
    told = span("lookup", {
        "session_id": session_id, "agent_id": "refund-1", "workflow_id": "wf-7", "user_id": "jane",
        "tool_name": "lookup", "caller_step": "plan", "retry_count": 2, "budget_remaining": 1.5,
        "args": json.dumps({"who": "Jane Roe"}), "result": "found"})
    post(stage.gateway.http_port, request([told]).SerializeToString()).response()
    found = stage.reader.of_session(session_id)
    event = next(r.event for r in found["operational"] if r.event["event_type"] == "tool_response")
    wanted = {"agent_id": "refund-1", "workflow_id": "wf-7", "tool_name": "lookup",
              "caller_step": "plan", "retry_count": 2, "budget_remaining": 1.5}
    assert {key: event.get(key) for key in wanted} == wanted
    assert "jane" not in json.dumps(event).lower()
    assert b"Jane Roe" in b"".join(contract.evidence_payloads(found["evidence"]).values())


def test_the_protobuf_encoding_reads_back(kafka: KafkaBroker, make_stage: Callable[..., Stage],
                                          session_id: str) -> None:
    stage = make_stage(kafka, {"exporters": {"kafka": {"encoding": "protobuf", "headers": "full"}}})
    post(stage.gateway.http_port, body_of(session_id)).response()
    found = stage.reader.of_session(session_id)
    for event_class, records in found.items():
        event = event_message().FromString(records[0].raw)
        assert event.session_id == session_id and event.event_class == event_class
        headers = records[0].headers
        assert headers["content_type"] == "application/x-protobuf"
        assert headers["event_class"] == event_class and headers["schema_version"] == "1"
        assert headers["traceparent"].startswith(f"00-{event.trace_id}-{event.span_id}-")


class TestScram:
    """Kafka 4 compares nonces strictly: librdkafka before 2.6.1 fails here."""

    @staticmethod
    def config(broker: KafkaBroker, password: str) -> dict[str, Any]:
        return {"exporters": {"kafka": {"brokers": [broker.sasl_bootstrap], "auth": {"sasl": {
            "mechanism": "SCRAM-SHA-512", "username": USER, "password": password}}}}}

    def test_the_right_password_delivers(self, kafka: KafkaBroker, make_stage: Callable[..., Stage],
                                         session_id: str) -> None:
        stage = make_stage(kafka, self.config(kafka, PASSWORD))
        post(stage.gateway.http_port, body_of(session_id)).response()
        assert stage.reader.of_session(session_id)["operational"]

    def test_a_wrong_password_is_told_and_not_shown(self, kafka: KafkaBroker,
                                                    tmp_path: pathlib.Path) -> None:
        wrong = "wrong-pass-7193"
        settings = self.config(kafka, wrong) | {"spool": {"directory": ""}}  # with one it is ready
        with gateway_module.Gateway(tmp_path, settings).start() as gateway:
            deadline = time.monotonic() + 15
            while "uthentication failed" not in gateway.log() + readiness_text(gateway):
                assert time.monotonic() < deadline, gateway.log()
                time.sleep(0.2)
            assert gateway.readiness().status_code == 503
            assert wrong not in gateway.log() + readiness_text(gateway)


def readiness_text(gateway: gateway_module.Gateway) -> str:
    try:
        return gateway.readiness().text
    except requests.RequestException:
        return ""


class TestShutdown:
    def test_sigterm_answers_what_it_took_and_ends_with_0(
            self, kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> None:
        stage = make_stage(kafka)
        acknowledged: list[str] = []
        stop = threading.Event()

        def send(number: int) -> None:
            count = 0
            while not stop.is_set():
                count += 1
                session_id = f"drain-{number}-{count}"
                try:
                    if post(stage.gateway.http_port, body_of(session_id)).status == 200:
                        acknowledged.append(session_id)
                except (OSError, otlp.http.client.HTTPException):
                    return  # the door is closed

        senders = [threading.Thread(target=send, args=(number,)) for number in range(3)]
        for sender in senders:
            sender.start()
        time.sleep(1)
        code = stage.gateway.terminate()
        stop.set()
        for sender in senders:
            sender.join(30)
        assert code == 0
        keys = {r.key for r in stage.reader.refresh() if r.event_class == "evidence"}
        assert len(acknowledged) > 10
        assert not set(acknowledged) - keys

    def test_it_keeps_accepting_while_not_ready(self, kafka: KafkaBroker,
                                                make_stage: Callable[..., Stage]) -> None:
        stage = make_stage(kafka, {"shutdown": {"accept_for": "2s"}})
        stage.gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert stage.gateway.readiness().status_code == 503
        post(stage.gateway.http_port, body_of("last-flush")).response()
        assert stage.gateway.process.wait(15) == 0
        assert stage.reader.of_session("last-flush")["operational"]

    def test_a_second_signal_ends_it_at_once(self, kafka: KafkaBroker,
                                             make_stage: Callable[..., Stage]) -> None:
        stage = make_stage(kafka, {"shutdown": {"accept_for": "10s", "grace": "20s"}})
        stage.gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        stage.gateway.process.send_signal(signal.SIGTERM)
        stage.gateway.process.wait(5)


class TestReload:
    def test_an_invalid_file_is_refused_and_nothing_changes(
            self, kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
        stage = make_stage(kafka)
        stage.gateway.config_file.write_text("receivers: {otlp: {no_such_key: 1}}\n")
        before = len(stage.gateway.log())
        stage.gateway.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while "no_such_key" not in stage.gateway.log()[before:]:
            assert time.monotonic() < deadline, stage.gateway.log()[before:]
            time.sleep(0.05)
        reply = requests.post(f"{stage.gateway.admin_url}/-/reload", timeout=10)
        assert 400 <= reply.status_code < 500 and "no_such_key" in reply.text
        post(stage.gateway.http_port, body_of(session_id)).response()

    @pytest.mark.parametrize("change", [
        {"lanes": 2}, {"processors": {"interpret": {"gateway_name": "other"}}}])
    def test_what_needs_a_restart_is_refused(
            self, kafka: KafkaBroker, make_stage: Callable[..., Stage], change: dict) -> None:
        stage = make_stage(kafka)
        stage.gateway.write_config(change)
        reply = requests.post(f"{stage.gateway.admin_url}/-/reload", timeout=10)
        assert 400 <= reply.status_code < 500 and "restart" in reply.text

    def test_a_valid_file_is_taken_while_requests_flow(
            self, kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
        stage = make_stage(kafka)
        secret = "TKT-123456"
        post(stage.gateway.http_port, body_of("before", content=secret)).response()
        assert secret.encode() in stage.reader.of_session("before")["detail"][0].raw
        stage.gateway.write_config({"processors": {"redact": {"patterns": [
            {"name": "ticket", "regex": "TKT-[0-9]{6}", "action": "mask"}]}}})
        reply = requests.post(f"{stage.gateway.admin_url}/-/reload", timeout=10)
        assert reply.status_code == 200, reply.text
        post(stage.gateway.http_port, body_of(session_id, content=secret)).response()
        assert secret.encode() not in stage.reader.of_session(session_id)["detail"][0].raw

    def test_classes_stop_and_start_to_be_waited_for(
            self, kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
        """Under load nothing is refused; a class in trouble refuses only while it is required."""
        stage = make_stage(kafka, {"spool": {"directory": ""}, "ack_timeout": "2s"})

        def wait_for(detail: bool) -> None:
            stage.gateway.write_config(
                {"processors": {"route": {"classes": {"detail": {"required": detail}}}}})
            reply = requests.post(f"{stage.gateway.admin_url}/-/reload", timeout=10)
            assert reply.status_code == 200, reply.text

        def send() -> int:
            return post(stage.gateway.http_port, body_of(session_id)).status

        statuses: list[int] = []
        stop = threading.Event()

        def flow() -> None:
            while not stop.wait(0.01):
                statuses.append(send())

        thread = threading.Thread(target=flow)
        thread.start()
        for round_number in range(8):
            wait_for(detail=round_number % 2 == 1)
            answered = len(statuses)
            self.wait_until(lambda: len(statuses) > answered + 2)
        stop.set()
        thread.join()
        assert set(statuses) == {200}
        stage.gateway.wait_until_at_rest()
        records = stage.reader.of_session(session_id)
        assert [len(records[name]) for name in stage.topics] == 3 * [len(statuses)]

        topic = stage.topics["detail"]
        for gone in kafka.admin().delete_topics([topic], operation_timeout=20).values():
            gone.result()
        self.wait_until(lambda: send() == 503)
        wait_for(detail=False)
        self.wait_until(lambda: stage.gateway.readiness().status_code == 200)
        assert {send() for _ in range(5)} == {200}
        wait_for(detail=True)
        assert send() == 503
        self.wait_until(lambda: topic in stage.gateway.readiness().text)

    @staticmethod
    def wait_until(is_so: Callable[[], bool], timeout_s: float = 20) -> None:
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_logs_hold_no_payload_and_no_session(stage: Stage) -> None:
    """Good, bad and refused requests leave no trace of what was in them."""
    marker = "payload-marker-7391"
    post(stage.gateway.http_port, body_of(marker, content=marker)).response()
    bad = request([chat_span(marker, span_id=b"x", name=marker)])
    post(stage.gateway.http_port, bad.SerializeToString())
    post(stage.gateway.http_port, marker.encode(), otlp.JSON)
    post(stage.gateway.http_port, b"", path=f"/{marker}")
    assert marker not in stage.gateway.log()
    assert marker not in stage.gateway.metrics().text
    for line in stage.gateway.log().splitlines():
        json.loads(line)  # not a terminal: one JSON object a line


def test_the_admin_endpoint_masks_secrets(stage: Stage) -> None:
    shown = requests.get(f"{stage.gateway.admin_url}/config", timeout=5)
    assert shown.status_code == 200
    assert HASH_KEY not in shown.text and "***" in shown.text


class TestCheck:
    def test_all_faults_are_told_at_once_with_their_places(self, tmp_path: pathlib.Path) -> None:
        file = tmp_path / "bad.yaml"
        file.write_text(
            "receivers:\n  otlp:\n    limits: {request_bytes_max: many}\n"
            "processors:\n  redact: {hash_key: " + HASH_KEY + ", detectors: [no_such]}\n"
            "exporters:\n  kafka: {brokers: [127.0.0.1:9092], librdkafka: {acks: 1}}\n"
            "nonsense: 1\n")
        result = run("check", "--config", str(file))
        assert result.returncode == USAGE
        told = result.stdout + result.stderr
        for line, word in ((3, "request_bytes_max"), (5, "no_such"), (7, "acks"), (8, "nonsense")):
            assert re.search(rf"bad\.yaml:{line}:\d+.*", told), (line, told)
            assert word in told, told

    def test_a_good_file_is_shown_with_secrets_masked(self, tmp_path: pathlib.Path) -> None:
        file = tmp_path / "good.yaml"
        file.write_text("processors: {redact: {hash_key: '${env:E2E_KEY}'}}\n"
                        "exporters: {kafka: {brokers: ['${env:E2E_BROKER:-127.0.0.1:9092}']}}\n")
        environment = {"E2E_KEY": HASH_KEY, "PATH": "/usr/bin:/bin"}
        result = run("check", "--config", str(file), "--print", env=environment)
        assert result.returncode in (GREEN, FINDINGS), result.stderr  # it may warn: evidence in clear
        assert HASH_KEY not in result.stdout + result.stderr
        assert "***" in result.stdout and "127.0.0.1:9092" in result.stdout

    def test_no_hash_key_with_real_brokers_is_a_fault(self, tmp_path: pathlib.Path) -> None:
        file = tmp_path / "keyless.yaml"
        file.write_text("exporters: {kafka: {brokers: ['127.0.0.1:9092']}}\n")
        result = run("serve", "--config", str(file), timeout_s=20)
        assert result.returncode == USAGE
        assert "hash_key" in result.stdout + result.stderr

    def test_a_missing_file_is_told(self, tmp_path: pathlib.Path) -> None:
        result = run("check", "--config", str(tmp_path / "none.yaml"))
        assert result.returncode in (USAGE, 3)
        assert "none.yaml" in result.stdout + result.stderr


class TestTopics:
    def config(self, directory: pathlib.Path, broker: KafkaBroker, prefix: str,
               partitions: int = 6) -> str:
        settings = gateway_module.merge(kafka_config(broker, topics_named(prefix)), {
            "processors": {"redact": {"hash_key": HASH_KEY}},
            "exporters": {"kafka": {"create": {"partitions": partitions, "replication_factor": 1}}}})
        file = directory / f"{prefix}-{partitions}.yaml"
        file.write_text(json.dumps(settings))
        return str(file)

    def test_create_makes_three_topics_and_check_is_content(
            self, kafka: KafkaBroker, tmp_path: pathlib.Path) -> None:
        file = self.config(tmp_path, kafka, "made")
        assert run("topics", "check", "--config", file).returncode == FINDINGS
        made = run("topics", "create", "--config", file)
        assert made.returncode == GREEN, made.stdout + made.stderr
        topics = kafka.admin().list_topics(timeout=10).topics
        for name in topics_named("made").values():
            assert len(topics[name].partitions) == 6
        checked = run("topics", "check", "--config", file)
        assert checked.returncode == GREEN, checked.stdout + checked.stderr
        assert run("topics", "create", "--config", file).returncode == GREEN  # again: nothing to do

    def test_check_tells_drift(self, kafka: KafkaBroker, tmp_path: pathlib.Path) -> None:
        file = self.config(tmp_path, kafka, "drift")
        assert run("topics", "create", "--config", file).returncode == GREEN
        checked = run("topics", "check", "--config", self.config(tmp_path, kafka, "drift", 12))
        assert checked.returncode == FINDINGS
        assert "12" in checked.stdout + checked.stderr and "partition" in checked.stdout + checked.stderr

    def test_no_broker_is_an_input_fault(self, tmp_path: pathlib.Path) -> None:
        class Nobody:
            bootstrap = f"127.0.0.1:{free_ports(1)[0]}"

        file = self.config(tmp_path, Nobody(), "none")  # type: ignore[arg-type]
        assert run("topics", "check", "--config", file, timeout_s=60).returncode == INPUT_FAULT


def test_tail_reads_kafka(stage: Stage, session_id: str, tmp_path: pathlib.Path) -> None:
    post(stage.gateway.http_port, body_of(session_id)).response()
    result = run("tail", "--config", str(stage.gateway.config_file), "--session", session_id,
                 "--since", "10m", timeout_s=60)
    assert result.returncode == GREEN, result.stderr
    assert session_id in result.stdout


def test_version_and_help() -> None:
    assert run("--version").returncode == GREEN
    for command in ("serve", "check", "topics", "tail"):
        shown = run(command, "--help")
        assert shown.returncode == GREEN and shown.stdout
    assert run("no-such-command").returncode == USAGE
