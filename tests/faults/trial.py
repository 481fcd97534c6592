"""One fault from beginning to end: topics, gateways, a sender under way, a verdict, its figures."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import time
from typing import Any

import requests

import gateway as gateway_module
from gateway import Gateway
from journal import Journal
from kafka_cluster import KafkaCluster
from oracle import Oracle, OracleReader, Verdict
from report import Figures
from sampler import Sampler
from sending import Sending
from stage import topics_named
from topic_reader import Record, TopicReader

ACK_TIMEOUT_S = 2.0
REPLY_MAX_S = ACK_TIMEOUT_S * 8 / 5  # a little longer with a spool
REST_TIMEOUT_S = 1800 if os.environ.get("SPANGATE_FAULTS") == "long" else 60
DEAD_LETTER = "dead_letter"


@dataclasses.dataclass
class Scale:
    """How much of each fault: `make test` runs the short one, `make faults` the long one."""

    is_long: bool = os.environ.get("SPANGATE_FAULTS") == "long"

    def of(self, short: Any, long: Any) -> Any:
        return long if self.is_long else short


class Trial:
    """begin(), break something, mend it, healed(), finish(); end() whatever happened."""

    def __init__(self, cluster: KafkaCluster, directory: pathlib.Path, name: str, *,
                 config: dict[str, Any] | None = None, gateways: int = 1) -> None:
        self.cluster, self.directory = cluster, directory
        directory.mkdir(parents=True, exist_ok=True)
        self.topics = topics_named(name)
        self.dead_letter_topic = f"{name}.dead-letter"
        cluster.create_topics([*self.topics.values(), self.dead_letter_topic])
        self.gateways = [self._gateway(number, config or {}) for number in range(gateways)]
        self.gateway = self.gateways[0]
        self.spool = self.gateway.directory / "spool"
        self.sending = Sending(directory, lambda: self.gateway.log()[-3000:])
        self.sampler = Sampler(self.gateways)
        self.healed_at = 0.0
        self.exempt: dict[str, float] = {}  # see Oracle
        self._began_at = time.time()

    def end(self) -> None:
        self.sending.kill()
        if self.sampler.is_alive():
            self.sampler.stop()
        for gateway in self.gateways:
            gateway.kill()

    @property
    def journal(self) -> Journal:
        return self.sending.journal

    def begin(self, *sender_flags: str) -> Trial:
        """Gateways ready, sender sending and once answered."""
        for gateway in self.gateways:
            gateway.start().wait_until_ready()
        self.send(*sender_flags)
        return self

    def send(self, *flags: str) -> None:
        self.sampler.start()
        self.sending.begin([g.http_port for g in self.gateways],
                           [g.grpc_port for g in self.gateways], *flags)

    def restart_killed(self) -> None:
        self.gateway.kill()
        self.gateway.start().wait_until_ready()

    def run_for(self, seconds: float) -> None:
        time.sleep(seconds)

    def wait_for_spans(self, more: int, timeout_s: float = 30) -> float:
        return self.sending.wait_for_spans(more, timeout_s)

    def healed(self) -> None:
        """From now on nothing is broken any more."""
        self.healed_at = time.time()

    def wait_until(self, what: str, condition: Any, timeout_s: float = 20) -> float:
        """Until the sampled metrics of the first gateway fulfil it; returns the seconds it took."""
        started = time.monotonic()
        while True:
            try:
                if condition(self.gateway.metrics()):
                    return time.monotonic() - started
            except requests.RequestException:
                pass
            assert time.monotonic() - started < timeout_s, f"{what}: not in {timeout_s} s"
            time.sleep(0.05)

    def wait_until_at_rest(self) -> list[str]:
        """What the ledgers do not explain once everything has arrived; empty is right."""
        deadline = time.monotonic() + REST_TIMEOUT_S
        while True:
            faults = [fault for gateway in self.gateways for fault in rest_faults(gateway)]
            if not faults or time.monotonic() > deadline:
                return faults
            time.sleep(0.1)

    def records(self, what: str) -> list[Record]:
        """All of one class, or the dead letters, as they stand in Kafka now."""
        topic = self.topics.get(what, self.dead_letter_topic)
        reader = TopicReader(self.cluster.bootstrap, {what: topic})
        try:
            return reader.refresh()
        finally:
            reader.close()

    def judge(self, *, keeps_order: bool = True) -> Verdict:
        reader = OracleReader(self.cluster.bootstrap, self.topics)
        try:
            reader.refresh()
        finally:
            reader.close()
        letters = [json.loads(record.raw) for record in self.records(DEAD_LETTER)]
        oracle = Oracle(self.journal, exempt=self.exempt, keeps_order=keeps_order)
        return oracle.judge(reader.seen, letters)

    def finish(self, anchor: str, fault: str, *, keeps_order: bool = True, may_refuse: bool = False,
               may_lose: dict[str, int] | None = None, more: str = "",
               ) -> tuple[Figures, list[str]]:
        """Ends the load and judges: the figures, and whatever is wrong. `may_refuse`: for good."""
        self.sending.end()
        faults = [f"ledger: {fault}" for fault in self.wait_until_at_rest()]
        for gateway in self.gateways:
            self.sampler.take(gateway)
        self.sampler.stop()
        verdict = self.judge(keeps_order=keeps_order)
        drain_rate, live_rate = self.sampler.drain_rates(self.healed_at)
        figures = Figures(
            anchor, fault, self.journal.acknowledged_spans, verdict.acknowledged,
            len(verdict.missing), verdict.duplicates, verdict.numbers_told, verdict.dead_lettered,
            self.journal.refused(), self.sampler.spooled_max(), self.sampler.recovered(), live_rate,
            drain_rate, self.journal.latencies.get("max", 0.0),
            self.sampler.resident_bytes_max() / 2**20, time.time() - self._began_at, more)
        if (final := self.journal.final_refusals()) and not may_refuse:
            faults.append(f"clients were told to give up: {final}")
        return figures, faults + verdict.faults(may_lose)

    def _gateway(self, number: int, config: dict[str, Any]) -> Gateway:
        directory = self.directory / f"gateway{number}"
        settings = {
            "exporters": {"kafka": {
                "brokers": self.cluster.bootstrap.split(","),
                "topics": self.topics | {DEAD_LETTER: self.dead_letter_topic}}},
            "ack_timeout": f"{ACK_TIMEOUT_S:g}s",
            "spool": {"bytes_max": "256MiB"},
            "processors": {"interpret": {"gateway_name": f"gateway{number}"}},
        }
        return Gateway(directory, gateway_module.merge(settings, config))


def rest_faults(gateway: Gateway) -> list[str]:
    try:
        metrics = gateway.metrics()
    except requests.RequestException as failure:
        return [f"no metrics: {failure}"]
    found = metrics.faults()
    for name in ("spooled", "in_flight"):
        if left := metrics.total(f"spangate_records_{name}"):
            found.append(f"{left:g} records {name}")
    return found
