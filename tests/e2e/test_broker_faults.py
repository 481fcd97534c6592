"""Kafka away, back, and killed under load, for a gateway without a spool: refusals are clear, and
what was acknowledged is there. With a spool: test_spool.py."""

from __future__ import annotations

import os
import pathlib
import threading
import time
from typing import Callable

import grpc
import pytest
import requests

import contract
from gateway import Gateway
from kafka_cluster import KafkaBroker
from otlp import GrpcClient, chat_span, post, request, retry_info, span
from stage import Stage

ACK_TIMEOUT_S = 2.0
SLACK_S = 1.5  # two busy cores
AT_ONCE_S = 0.7
BACK_WITHIN_S = 30
NO_SPOOL = {"directory": ""}


@pytest.fixture(scope="module")
def fragile(own_kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Stage:
    return make_stage(own_kafka, {"ack_timeout": f"{ACK_TIMEOUT_S:g}s", "spool": NO_SPOOL})


def body_of(session_id: str) -> bytes:
    return request([chat_span(session_id)]).SerializeToString()


def wait_until_accepted(stage: Stage, session_id: str) -> float:
    """Sends until one request is acknowledged; returns the seconds it took."""
    started = time.monotonic()
    while True:
        if post(stage.gateway.http_port, body_of(session_id)).status == 200:
            return time.monotonic() - started
        assert time.monotonic() - started < BACK_WITHIN_S, "it did not come back"
        time.sleep(0.2)


class TestAway:
    """One story, in order: works, broker gone, refused, broker back, works."""

    def test_the_first_waits_for_ack_timeout_and_then_says_when_to_repeat(
            self, fragile: Stage, session_id: str) -> None:
        post(fragile.gateway.http_port, body_of(session_id)).response()
        fragile.broker.kill()
        started = time.monotonic()
        reply = post(fragile.gateway.http_port, body_of(session_id))
        assert time.monotonic() - started < ACK_TIMEOUT_S + SLACK_S
        assert reply.status == 503
        assert int(reply.headers["Retry-After"]) >= 1
        assert reply.error().message

    def test_then_requests_are_refused_at_once(self, fragile: Stage, session_id: str) -> None:
        for _ in range(3):
            started = time.monotonic()
            reply = post(fragile.gateway.http_port, body_of(session_id))
            assert time.monotonic() - started < AT_ONCE_S
            assert reply.status == 503 and int(reply.headers["Retry-After"]) >= 1

    def test_grpc_says_unavailable_and_when_to_repeat(self, fragile: Stage, session_id: str) -> None:
        started = time.monotonic()
        failure = fragile.grpc.failure(body_of(session_id))
        assert time.monotonic() - started < AT_ONCE_S
        assert failure.code() is grpc.StatusCode.UNAVAILABLE
        info = retry_info(failure)
        assert info is not None and info.retry_delay.ToMilliseconds() >= 100

    def test_it_lives_but_is_not_ready(self, fragile: Stage) -> None:
        assert requests.get(f"{fragile.gateway.admin_url}/healthz", timeout=5).status_code == 200
        readiness = fragile.gateway.readiness()
        assert readiness.status_code == 503 and readiness.text.strip()

    def test_memory_stays_bounded_while_refusing(self, fragile: Stage, session_id: str) -> None:
        body = request([chat_span(session_id, content="x" * 100_000)]).SerializeToString()
        before = fragile.gateway.resident_bytes()
        for _ in range(300):
            assert post(fragile.gateway.http_port, body).status == 503
        assert fragile.gateway.resident_bytes() - before < 64 * 1024 * 1024

    def test_when_kafka_is_back_it_works_again(self, fragile: Stage, session_id: str) -> None:
        fragile.broker.resume()
        wait_until_accepted(fragile, session_id)
        assert fragile.reader.of_session(session_id)["operational"]
        deadline = time.monotonic() + 10
        while fragile.gateway.readiness().status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def test_the_ledger_balances_after_all_that(self, fragile: Stage) -> None:
        deadline = time.monotonic() + 10
        while faults := fragile.gateway.metrics().faults():
            assert time.monotonic() < deadline, faults
            time.sleep(0.2)

    def test_every_hole_in_the_numbers_is_explained(self, fragile: Stage) -> None:
        deadline = time.monotonic() + 10
        while holes := contract.unexplained_holes(fragile.reader.refresh()):
            assert time.monotonic() < deadline, holes
            time.sleep(0.2)


class Sender(threading.Thread):
    """A client with patience: repeats what was refused, notes what was acknowledged."""

    def __init__(self, stage: Stage, number: int, over_grpc: bool, stop: threading.Event) -> None:
        super().__init__()
        self._stage, self._number, self._stop_event = stage, number, stop
        self._grpc = GrpcClient(stage.gateway.grpc_target) if over_grpc else None
        self.acknowledged: set[str] = set()  # span ids
        self.refusals = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            while not self._stop_event.is_set():
                self._send_one_batch()
        except BaseException as failure:  # noqa: BLE001: shown by the test
            self.failure = failure

    def _send_one_batch(self) -> None:
        ids = [os.urandom(8) for _ in range(20)]
        body = request(
            chat_span(f"load-{self._number}-{index % 5}", span_id=span_id)
            for index, span_id in enumerate(ids)
        ).SerializeToString()
        while not self._accepted(body):
            self.refusals += 1
            if self._stop_event.wait(0.3):
                return
        self.acknowledged.update(span_id.hex() for span_id in ids)

    def _accepted(self, body: bytes) -> bool:
        if self._grpc is None:
            status = post(self._stage.gateway.http_port, body).status
            assert status in (200, 503), status
            return status == 200
        try:
            self._grpc.export(body)
            return True
        except grpc.RpcError as failure:
            assert failure.code() is grpc.StatusCode.UNAVAILABLE, failure
            return False


def test_kill_9_of_the_broker_under_load_loses_nothing_acknowledged(
        own_kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(own_kafka, {"ack_timeout": f"{ACK_TIMEOUT_S:g}s", "spool": NO_SPOOL})
    stop = threading.Event()
    senders = [Sender(stage, number, over_grpc=number == 2, stop=stop) for number in range(3)]
    for sender in senders:
        sender.start()
    time.sleep(2)
    own_kafka.kill()
    time.sleep(ACK_TIMEOUT_S + 1)  # long enough for refusals
    own_kafka.resume()
    wait_until_accepted(stage, "after-the-kill")
    time.sleep(2)
    stop.set()
    for sender in senders:
        sender.join(60)
        assert sender.failure is None, sender.failure

    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    assert len(acknowledged) > 100 and sum(sender.refusals for sender in senders) > 0
    records = list(stage.reader.refresh())
    accepted_events = set()
    for event_class in ("operational", "detail", "evidence"):
        found = {r.event["span_id"]: r.event["event_id"] for r in records
                 if r.event_class == event_class and r.event.get("span_id")}
        missing = acknowledged - found.keys()
        assert not missing, f"{len(missing)} of {len(acknowledged)} are not in {event_class}"
        accepted_events |= {found[span_id] for span_id in acknowledged}
    assert contract.order_faults(records, accepted_events) == []


def test_a_gateway_born_before_its_broker_waits_for_it(
        own_kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str,
        tmp_path: pathlib.Path) -> None:
    stage = make_stage(own_kafka)  # makes the topics
    own_kafka.kill()
    settings = {
        "exporters": stage.gateway.config["exporters"], "ack_timeout": "1s", "spool": NO_SPOOL,
    }
    with Gateway(tmp_path, settings) as early:
        early.start()
        deadline = time.monotonic() + 10
        while not serves(early):
            assert time.monotonic() < deadline, early.log()
            time.sleep(0.1)
        assert early.readiness().status_code == 503
        assert post(early.http_port, body_of(session_id)).status == 503
        own_kafka.resume()
        early.wait_until_ready()
        deadline = time.monotonic() + BACK_WITHIN_S
        while post(early.http_port, body_of(session_id)).status != 200:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    assert stage.reader.of_session(session_id)["operational"]


def serves(gateway: Gateway) -> bool:
    try:
        return requests.get(f"{gateway.admin_url}/healthz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_the_same_span_sent_again_has_the_same_event_id(stage: Stage, session_id: str) -> None:
    told = span("execute_tool search", {"session_id": session_id, "tool_name": "search"})
    body = request([told]).SerializeToString()
    for _ in range(2):
        post(stage.gateway.http_port, body).response()
    records = stage.reader.of_session(session_id)["operational"]
    assert {r.event["event_type"] for r in records} == {"tool_request", "tool_response"}
    assert len({r.event["event_id"] for r in records}) == 2
