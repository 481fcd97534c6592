"""Kafka in trouble, for a gateway with a spool: clients hear OK, and everything is there in the end,
in order; one class's trouble is not the others'."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import random
import string
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Iterator

import confluent_kafka
import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource

import contract
from gateway import Gateway
from kafka_cluster import KafkaBroker
from otlp import chat_span, post, request
from stage import Stage
from topic_reader import TopicReader

ACK_TIMEOUT_S = 2.0
SLACK_S = 2.0  # two busy cores
SETTINGS = {"ack_timeout": f"{ACK_TIMEOUT_S:g}s"}


@pytest.fixture()
def spooling(own_kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Iterator[Stage]:
    """Its gateway ends with the test, so that it asks nothing of a broker that others hurt."""
    stage = make_stage(own_kafka, SETTINGS)
    yield stage
    stage.gateway.terminate()


def body_of(session_id: str, number: int = 0, content: str = "hello") -> bytes:
    span_id = number.to_bytes(8, "big") if number else None
    return request([chat_span(session_id, span_id=span_id, content=content)]).SerializeToString()


def send(gateway: Gateway, session_id: str, count: int, first: int = 1) -> None:
    for number in range(first, first + count):
        post(gateway.http_port, body_of(session_id, number)).response()


def spans_of(stage: Stage, session_id: str, event_class: str = "operational") -> list[int]:
    """The session's spans as they first appear in the topic."""
    records = stage.reader.of_session(session_id)[event_class]
    spans = [int(r.event["span_id"], 16) for r in records if "span_id" in r.event]  # else: a gap
    return list(dict.fromkeys(spans))


def incompressible(text: str) -> str:
    """Content that does not shrink under compression."""
    return base64.b64encode(os.urandom(len(text))).decode()[: len(text)]


def test_a_stopped_broker_costs_no_refusal_and_no_order(
        spooling: Stage, session_id: str) -> None:
    gateway = spooling.gateway
    send(gateway, session_id, 5)
    spooling.broker.pause()
    try:
        started = time.monotonic()
        send(gateway, session_id, 1, first=6)
        assert time.monotonic() - started < ACK_TIMEOUT_S + SLACK_S
        started = time.monotonic()
        send(gateway, session_id, 5, first=7)
        assert time.monotonic() - started < SLACK_S
        assert gateway.readiness().status_code == 200
        assert gateway.metrics().total("spangate_records_spooled") > 0
        assert gateway.metrics().faults() == []
    finally:
        spooling.broker.unpause()
    send(gateway, session_id, 5, first=12)
    gateway.wait_until_at_rest()
    assert spans_of(spooling, session_id) == list(range(1, 17))
    assert contract.unexplained_holes(spooling.reader.refresh()) == []


def test_a_gateway_with_a_spool_starts_without_a_broker(
        own_kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str,
        tmp_path: pathlib.Path) -> None:
    stage = make_stage(own_kafka)  # makes the topics
    exporters = stage.gateway.config["exporters"]
    stage.gateway.terminate()
    own_kafka.kill()
    with Gateway(tmp_path, {"exporters": exporters} | SETTINGS) as early:
        early.start().wait_until_ready()
        send(early, session_id, 3)
        assert early.metrics().total("spangate_records_spooled") > 0
        own_kafka.resume()
        early.wait_until_at_rest()
    assert spans_of(stage, session_id) == [1, 2, 3]


def test_a_killed_gateway_delivers_its_spool_at_the_next_start(
        spooling: Stage, session_id: str) -> None:
    gateway = spooling.gateway
    spooling.broker.kill()
    send(gateway, session_id, 20)
    gateway.kill()
    spooling.broker.resume()
    gateway.start().wait_until_ready()
    gateway.wait_until_at_rest()
    assert gateway.metrics().total("spangate_records_recovered_total") >= 60
    assert spans_of(spooling, session_id) == list(range(1, 21))


def test_sigterm_leaves_on_disk_what_kafka_cannot_take(
        spooling: Stage, session_id: str) -> None:
    gateway = spooling.gateway
    spooling.broker.kill()
    send(gateway, session_id, 5)
    started = time.monotonic()
    assert gateway.terminate() == 0
    assert time.monotonic() - started < 10  # the grace
    spooling.broker.resume()
    gateway.start().wait_until_ready()
    gateway.wait_until_at_rest()
    assert spans_of(spooling, session_id) == [1, 2, 3, 4, 5]


def test_a_deleted_topic_spools_its_class_alone(spooling: Stage, session_id: str) -> None:
    gateway, topic = spooling.gateway, spooling.topics["detail"]
    send(gateway, session_id, 1)
    gateway.wait_until_at_rest()
    for deleted in spooling.broker.admin().delete_topics([topic]).values():
        deleted.result()
    last = 1
    while gateway.metrics().total("spangate_records_spooled", **{"class": "detail"}) == 0:
        last += 1  # a broker takes its time to delete, and what it takes meanwhile goes with it
        assert last < 100
        send(gateway, session_id, 1, first=last)
    send(gateway, session_id, 5, first=last + 1)
    metrics = gateway.metrics()
    spooled = int(metrics.total("spangate_records_spooled", **{"class": "detail"}))
    assert spooled >= 6
    for name in ("operational", "evidence"):
        assert metrics.total("spangate_deliver_state", **{"class": name}) == 0
        assert metrics.total("spangate_records_delivered_total", **{"class": name}) == last + 5
    assert metrics.faults() == [] and gateway.readiness().status_code == 200
    spooling.broker.create_topics([topic])
    gateway.wait_until_at_rest(60)
    reader = TopicReader(spooling.broker.bootstrap, spooling.topics)  # of the new topic
    found = reader.of_session(session_id)
    reader.close()
    assert len(found["operational"]) == last + 5
    details = [int(r.event["span_id"], 16) for r in found["detail"]]
    assert details == list(range(last + 6 - spooled, last + 6))


def lower_limit(broker: KafkaBroker, topic: str, limit: int) -> None:
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[
        ConfigEntry("max.message.bytes", str(limit),
                    incremental_operation=AlterConfigOpType.SET)])
    for altered in broker.admin().incremental_alter_configs([resource]).values():
        altered.result()


def read_letters(broker: KafkaBroker, topic: str) -> list[dict]:
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": broker.bootstrap, "group.id": topic, "auto.offset.reset": "earliest",
    })
    consumer.subscribe([topic])
    letters, deadline = [], time.monotonic() + 20
    while not letters and time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            letters.append(json.loads(message.value()))
    consumer.close()
    return letters


def test_a_lowered_limit_dead_letters_what_is_too_large_and_nothing_else(
        own_kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
    letters_topic = f"dead-letters-{session_id}"
    own_kafka.create_topics([letters_topic])
    stage = make_stage(own_kafka, SETTINGS | {
        "exporters": {"kafka": {"topics": {"dead_letter": letters_topic}}}})
    gateway = stage.gateway
    send(gateway, session_id, 1)
    gateway.wait_until_at_rest()
    lower_limit(own_kafka, stage.topics["evidence"], 100_000)

    large = body_of(session_id, 2, content=incompressible("x" * 300_000))
    reply = post(gateway.http_port, large)
    assert reply.status == 400 and "larger than Kafka takes" in reply.error().message
    started = time.monotonic()
    send(gateway, session_id, 3, first=3)
    assert time.monotonic() - started < SLACK_S
    # Evidence is now cut to what the topic takes, so the same request passes.
    post(gateway.http_port, body_of(session_id, 6, content=incompressible("x" * 300_000))).response()
    gateway.wait_until_at_rest()

    assert spans_of(stage, session_id) == [1, 2, 3, 4, 5, 6]
    assert spans_of(stage, session_id, "evidence") == [1, 3, 4, 5, 6]
    [letter] = read_letters(own_kafka, letters_topic)
    assert letter["reason"] == "too_large" and letter["class"] == "evidence"
    assert letter["session_id"] == session_id and int(letter["span_id"], 16) == 2
    assert letter["bytes"] > 300_000 and len(letter["largest_keys"]) <= 8
    assert len(json.dumps(letter)) < 4_000
    assert contract.unexplained_holes(stage.reader.refresh()) == []
    gateway.terminate()


def test_a_batch_refused_first_on_its_partition_is_not_overtaken(
        own_kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
    """Of a producer they have not met on a partition brokers store any batch, also the second."""
    letters_topic = f"dead-letters-{session_id}"
    own_kafka.create_topics([letters_topic])
    stage = make_stage(own_kafka, {"ack_timeout": "10s", "exporters": {"kafka": {
        "linger": "300ms", "topics": {"dead_letter": letters_topic}}}})
    lower_limit(own_kafka, stage.topics["detail"], 20_000)
    time.sleep(1)  # until the broker goes by it
    noise = {f"note.{n}": "".join(random.choices(string.ascii_letters, k=900)) for n in range(60)}
    poison = request([chat_span(session_id, span_id=(2).to_bytes(8, "big"), attributes=noise)])
    with ThreadPoolExecutor() as sender:
        own_kafka.pause()
        batch = [body_of(session_id, 1), poison.SerializeToString()]
        replies = [sender.submit(post, stage.gateway.http_port, body) for body in batch]
        time.sleep(0.8)  # so that they are under way
        replies.append(sender.submit(post, stage.gateway.http_port, body_of(session_id, 3)))
        time.sleep(0.8)
        own_kafka.unpause()
    assert [reply.result().status for reply in replies] == [200, 400, 200]
    stage.gateway.wait_until_at_rest()
    assert spans_of(stage, session_id, "detail") == [1, 3]
    stage.gateway.terminate()


def test_with_ack_spool_a_reply_never_waits_for_kafka(
        own_kafka: KafkaBroker, make_stage: Callable[..., Stage], session_id: str) -> None:
    stage = make_stage(own_kafka, SETTINGS | {"ack": "spool"})
    stage.broker.pause()
    try:
        started = time.monotonic()
        send(stage.gateway, session_id, 5)
        assert time.monotonic() - started < ACK_TIMEOUT_S
    finally:
        stage.broker.unpause()
    send(stage.gateway, session_id, 5, first=6)
    stage.gateway.wait_until_at_rest()
    assert spans_of(stage, session_id) == list(range(1, 11))
    stage.gateway.terminate()


def test_one_spool_serves_one_gateway(spooling: Stage, tmp_path: pathlib.Path) -> None:
    other = Gateway(tmp_path, {
        "exporters": spooling.gateway.config["exporters"],
        "spool": spooling.gateway.config["spool"],
    })
    other.start()
    assert other.process is not None and other.process.wait(20) == 2
    assert "spool.directory" in other.log()
    assert str(spooling.gateway.process.pid) in other.log()
