"""Secrets change while agents send: nothing is refused, lost or put out of order."""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import threading
import time
from typing import Any, Callable, Iterator

import pytest

from kafka_cluster import PASSWORD, USER
from otlp import chat_span, post, request
from secure_broker import SESSION_MS, SecureBroker, token
from stage import Stage

NEW_PASSWORD = "gateway-secret-renewed"


@pytest.fixture(scope="module")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    broker = SecureBroker(tmp_path_factory.mktemp("secure-kafka") / "broker")
    broker.start()
    yield broker
    broker.kill()


class Flow:
    """Sends a request every 50 ms, each a session's next step, and keeps what became of it."""

    def __init__(self, stage: Stage, session_id: str) -> None:
        self.stage, self.session_id = stage, session_id
        self.acknowledged: list[int] = []
        self.refused: list[int] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Flow:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def go_on_for(self, seconds: float) -> None:
        time.sleep(seconds)

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.05):
            number += 1
            body = request([chat_span(self.session_id)]).SerializeToString()
            status = post(self.stage.gateway.http_port, body).status
            (self.acknowledged if status == 200 else self.refused).append(number)

    def check(self) -> None:
        assert self.refused == []
        assert len(self.acknowledged) > 20
        first: dict[str, int] = {}
        for record in self.stage.reader.of_session(self.session_id)["operational"]:
            event = record.event
            first.setdefault(event["event_id"], int(event["gateway_seq"]))
        assert len(first) == len(self.acknowledged)
        assert list(first.values()) == sorted(first.values())
        assert self.stage.gateway.metrics().faults() == []


def sasl(broker: SecureBroker, **values: str) -> dict[str, Any]:
    mechanism = values.pop("mechanism")
    bootstrap = broker.oauth_bootstrap if mechanism == "OAUTHBEARER" else broker.sasl_bootstrap
    return {"exporters": {"kafka": {"brokers": [bootstrap],
                                    "auth": {"sasl": {"mechanism": mechanism, **values}}}}}


def rotations(stage: Stage) -> float:
    return stage.gateway.metrics().total("spangate_deliver_rotations_total")


def wait_for_rotation(stage: Stage, timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while rotations(stage) == 0:
        assert time.monotonic() < deadline, stage.gateway.log()
        time.sleep(0.1)


def test_oauth_tokens_that_end_every_few_seconds(
        secure_kafka: SecureBroker, make_stage: Callable[..., Stage], tmp_path: pathlib.Path,
        session_id: str) -> None:
    file = tmp_path / "token"
    write = lambda: file.with_suffix(".new").write_text(token(6)) and file.with_suffix(".new").replace(file)
    write()
    stop = threading.Event()

    def renew() -> None:
        while not stop.wait(1):
            write()

    issuer = threading.Thread(target=renew)
    issuer.start()
    try:
        stage = make_stage(secure_kafka,
                           sasl(secure_kafka, mechanism="OAUTHBEARER", token_file=str(file)))
        with Flow(stage, session_id) as flow:
            flow.go_on_for(4 * SESSION_MS / 1000)
        flow.check()
    finally:
        stop.set()
        issuer.join()


def test_a_new_password_is_used_after_a_reload(
        secure_kafka: SecureBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
    config = sasl(secure_kafka, mechanism="SCRAM-SHA-512", username=USER, password=PASSWORD)
    stage = make_stage(secure_kafka, config)
    with Flow(stage, session_id) as flow:
        flow.go_on_for(1)
        secure_kafka.set_password(NEW_PASSWORD)
        stage.gateway.write_config(sasl(secure_kafka, mechanism="SCRAM-SHA-512", username=USER,
                                        password=NEW_PASSWORD))
        stage.gateway.process.send_signal(signal.SIGHUP)
        wait_for_rotation(stage)
        # The old connections' sessions end meanwhile; the old password would not renew them.
        flow.go_on_for(2 * SESSION_MS / 1000)
    flow.check()
    assert NEW_PASSWORD not in stage.gateway.log()


def test_a_renewed_client_certificate_is_used_without_a_signal(
        secure_kafka: SecureBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
    directory = secure_kafka.certificates
    secure_kafka.certificate("client", "gateway-old", "old")
    secure_kafka.allow("gateway-old")
    stage = make_stage(secure_kafka, {"exporters": {"kafka": {
        "brokers": [secure_kafka.tls_bootstrap],
        "auth": {"tls": {"ca_file": str(directory / "old.pem"),
                         "cert_file": str(directory / "client.pem"),
                         "key_file": str(directory / "client.key")}}}}})
    with Flow(stage, session_id) as flow:
        flow.go_on_for(1)
        secure_kafka.allow("gateway-new")
        secure_kafka.certificate("renewed", "gateway-new", "new")
        for suffix in ("key", "pem"):
            os.replace(shutil.copy(directory / f"renewed.{suffix}", directory / f"next.{suffix}"),
                       directory / f"client.{suffix}")
        wait_for_rotation(stage)
        secure_kafka.forbid("gateway-old")
        flow.go_on_for(2)
    flow.check()
