"""A gateway on a broker with three topics of its own, and readers for both ends."""

from __future__ import annotations

import time
from typing import Any

import requests

from gateway import Gateway
from kafka_cluster import KafkaBroker
from otlp import GrpcClient
from topic_reader import CLASSES, TopicReader

SETTLE_TIMEOUT_S = 10


def topics_named(prefix: str) -> dict[str, str]:
    return {name: f"{prefix}.{name}" for name in CLASSES}


def kafka_config(broker: KafkaBroker, topics: dict[str, str]) -> dict[str, Any]:
    return {"exporters": {"kafka": {"brokers": [broker.bootstrap], "topics": topics}}}


class Stage:
    def __init__(self, broker: KafkaBroker, gateway: Gateway, topics: dict[str, str]) -> None:
        self.broker, self.gateway, self.topics = broker, gateway, topics
        self.reader = TopicReader(broker.bootstrap, topics, self._settle)
        self.grpc = GrpcClient(gateway.grpc_target)

    def close(self) -> None:
        self.grpc.close()
        self.reader.close()

    def _settle(self) -> None:
        """On a busy machine a class may be spooled for a moment; a gateway that is gone is settled."""
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                if self.gateway.metrics().at_rest():
                    return
            except requests.RequestException:
                return
            time.sleep(0.05)
