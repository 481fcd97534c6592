"""One class in trouble: it alone is spooled or dead-lettered, the others flow on."""

from __future__ import annotations

import os
import random
import string
import time
from typing import Any, Callable

import pytest
from confluent_kafka.admin import (
    AclBinding, AclBindingFilter, AclOperation, AclPermissionType, AlterConfigOpType, ConfigEntry,
    ConfigResource, NewPartitions, ResourcePatternType, ResourceType,
)

import otlp
from conftest import Lone
from journal import Request
from kafka_cluster import PASSWORD, USER, KafkaCluster
from trial import Scale, Trial

Make = Callable[..., Trial]
Judge = Callable[..., Any]
OTHERS = ("operational", "evidence")  # detail is the one in trouble
DELIVERED = "spangate_records_delivered_total"


def granted(topic: str, operation: AclOperation) -> AclBinding:
    return AclBinding(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{USER}", "*",
                      operation, AclPermissionType.ALLOW)


def grant(cluster: KafkaCluster, topics: list[str]) -> None:
    wanted = [granted(topic, operation) for topic in topics
              for operation in (AclOperation.WRITE, AclOperation.DESCRIBE)]
    for made in cluster.admin().create_acls(wanted).values():
        made.result()


def withdraw(cluster: KafkaCluster, topic: str) -> None:
    told = AclBindingFilter(ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{USER}",
                            "*", AclOperation.WRITE, AclPermissionType.ALLOW)
    for made in cluster.admin().delete_acls([told]).values():
        made.result()


def set_topic(cluster: KafkaCluster, topic: str, name: str, value: str) -> None:
    entry = ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=[entry])
    for made in cluster.admin().incremental_alter_configs([resource]).values():
        made.result()


def wait_until_spooled(trial: Trial, event_class: str = "detail") -> float:
    return trial.wait_until(f"{event_class} is spooled", lambda m: m.total(
        "spangate_records_spooled", **{"class": event_class}) > 0)


def check_others_flow(trial: Trial) -> None:
    before = trial.gateway.metrics()
    trial.run_for(1.5)
    after = trial.gateway.metrics()
    for name in OTHERS:
        labels = {"class": name}
        assert after.total(DELIVERED, **labels) > before.total(DELIVERED, **labels), name
        assert after.total("spangate_records_spooled", **labels) == 0, name


def wait_until_drained(trial: Trial, timeout_s: float = 30) -> float:
    return trial.wait_until("the spool is empty",
                            lambda m: m.total("spangate_records_spooled") == 0, timeout_s)


def test_the_right_to_write_one_class_is_withdrawn_and_given_back(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster, config={"exporters": {"kafka": {
        "brokers": [lone.cluster.sasl_bootstrap],
        "auth": {"sasl": {"mechanism": "SCRAM-SHA-512", "username": USER, "password": PASSWORD}},
    }}})
    grant(lone.cluster, [*trial.topics.values(), trial.dead_letter_topic])
    trial.begin()
    withdraw(lone.cluster, trial.topics["detail"])
    noticed_s = wait_until_spooled(trial)
    check_others_flow(trial)
    trial.run_for(scale.of(1, 60))
    grant(lone.cluster, [trial.topics["detail"]])
    trial.healed()
    drained_s = wait_until_drained(trial)
    figures = judged(trial, "R-24", "ACL of detail removed, put back",
                     more=f"noticed in {noticed_s:.1f} s, drained {drained_s:.1f} s after")
    assert figures.refused == 0


def test_the_topic_of_one_class_is_deleted_and_made_again(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin()
    topic = trial.topics["detail"]
    for gone in lone.cluster.admin().delete_topics([topic], operation_timeout=20).values():
        gone.result()
    deadline = time.monotonic() + 20
    while topic in lone.cluster.admin().list_topics(timeout=10).topics:
        assert time.monotonic() < deadline, "the topic is still there"
        time.sleep(0.05)
    trial.exempt["detail"] = time.time()  # what was on the topic went with it
    wait_until_spooled(trial)
    check_others_flow(trial)
    trial.run_for(scale.of(0, 60))
    lone.cluster.create_topics([topic])
    trial.healed()
    drained_s = wait_until_drained(trial)
    figures = judged(trial, "R-23", "topic of detail deleted, made again",
                     more=f"drained {drained_s:.1f} s after")
    assert figures.refused == 0


def test_partitions_are_added(lone: Lone, make_trial: Make, judged: Judge) -> None:
    trial = make_trial(lone.cluster).begin()
    wider = [NewPartitions(topic, 12) for topic in trial.topics.values()]
    for made in lone.cluster.admin().create_partitions(wider).values():
        made.result()
    trial.run_for(4)
    figures = judged(trial, "R-23", "partitions added", keeps_order=False)
    assert figures.refused == 0


@pytest.mark.parametrize("event_class, bytes_max", [("detail", 4096), ("evidence", 16384)])
def test_max_message_bytes_lowered_under_load(
        event_class: str, bytes_max: int, lone: Lone, make_trial: Make, judged: Judge,
        scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin("--large-every", "10", "--spans", "20")
    set_topic(lone.cluster, trial.topics[event_class], "max.message.bytes", str(bytes_max))
    trial.run_for(scale.of(5, 60))
    trial.healed()
    trial.wait_for_spans(200)
    judged(trial, "R-23", f"max.message.bytes of {event_class} lowered to {bytes_max}",
           may_refuse=True)


def test_a_topic_finds_our_clock_wrong(lone: Lone, make_trial: Make, judged: Judge) -> None:
    """As brokers do when one of the clocks is an hour off; nothing is wrong with the records."""
    trial = make_trial(lone.cluster).begin()
    name = "message.timestamp.before.max.ms"
    set_topic(lone.cluster, trial.topics["detail"], name, "0")
    wait_until_spooled(trial)
    check_others_flow(trial)
    set_topic(lone.cluster, trial.topics["detail"], name, "9223372036854775807")
    trial.healed()
    wait_until_drained(trial)
    figures = judged(trial, "R-29", "one topic finds the clock wrong")
    assert figures.dead_lettered == 0


def noise(count: int) -> str:
    return "".join(random.choices(string.ascii_letters + string.digits, k=count))


def poison(event_class: str) -> Any:
    """A span whose record in that class is larger than the topic takes, however it is packed."""
    if event_class == "operational":
        keys = ("gen_ai.agent.id", "workflow_id", "run_id", "gen_ai.response.id", "task_id",
                "turn_id", "step", "parent_agent_id", "gen_ai.data_source.id", "memory_ref")
        return otlp.chat_span("poison", attributes={key: noise(120) for key in keys})
    return otlp.chat_span("poison", attributes={f"note.{n}": noise(900) for n in range(60)})


@pytest.mark.parametrize("event_class, bytes_max", [("operational", 1300), ("detail", 20_000)])
def test_one_poison_record(event_class: str, bytes_max: int, lone: Lone, make_trial: Make,
                           judged: Judge) -> None:
    trial = make_trial(lone.cluster).begin()
    set_topic(lone.cluster, trial.topics[event_class], "max.message.bytes", str(bytes_max))
    trial.run_for(1)
    span = poison(event_class)
    told = Request("poison", 0, time.time(), span.trace_id.hex(), [(span.span_id.hex(), "chat")])
    trial.journal.requests["poison", 0] = told
    started = time.monotonic()
    reply = otlp.post(trial.gateway.http_port, otlp.request([span]).SerializeToString())
    answered_s = time.monotonic() - started
    assert reply.status == 400 and reply.error().message
    told.gave_up = True
    flowed_s = trial.wait_for_spans(20)
    trial.healed()
    figures = judged(trial, "R-31", f"poison record in {event_class}",
                     more=f"told in {answered_s:.1f} s, flow on in {flowed_s:.2f} s")
    assert figures.dead_lettered >= 1
    assert answered_s < 2 and flowed_s < 2
