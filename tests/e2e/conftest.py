"""What the end-to-end tests stand on: a real Kafka broker, the program, a reader of the topics."""

from __future__ import annotations

import itertools
import pathlib
import sys
from typing import Any, Callable, Iterator

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import gateway as gateway_module  # noqa: E402
from gateway import Gateway  # noqa: E402
from kafka_cluster import KafkaBroker  # noqa: E402
from stage import Stage, kafka_config, topics_named  # noqa: E402

_numbers = itertools.count(1)


@pytest.fixture(scope="session", autouse=True)
def binary_is_built() -> None:
    assert gateway_module.binary().exists(), f"{gateway_module.binary()}: run make build first"


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """One broker for all tests that do not hurt it."""
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka") / "broker").start()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A broker of the module's own, which its tests may stop and kill."""
    broker = KafkaBroker(tmp_path_factory.mktemp("own-kafka") / "broker").start()
    yield broker
    broker.kill()


@pytest.fixture(scope="module")
def make_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Stage]]:
    """make_stage(broker, config...) starts a gateway on fresh topics; ended with the module."""
    stages: list[Stage] = []

    def make(broker: KafkaBroker, config: dict[str, Any] | None = None) -> Stage:
        number = next(_numbers)
        topics = topics_named(f"stage{number}")
        broker.create_topics(list(topics.values()))
        settings = gateway_module.merge(kafka_config(broker, topics), config or {})
        gateway = Gateway(tmp_path_factory.mktemp(f"gateway{number}"), settings)
        gateway.start().wait_until_ready()
        if settings.get("ack") != "spool":  # which is never direct
            gateway.wait_until_direct()
        stage = Stage(broker, gateway, topics)
        stages.append(stage)
        return stage

    yield make
    for stage in stages:
        stage.close()
        with stage.gateway:
            pass


@pytest.fixture(scope="module")
def stage(kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Stage:
    """The module's gateway with default settings on the shared broker."""
    return make_stage(kafka)


@pytest.fixture()
def session_id() -> str:
    """A session of the test's own."""
    return f"sess-{next(_numbers)}"
