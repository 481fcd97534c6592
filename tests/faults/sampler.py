"""Watches gateways through /metrics while a fault runs: spool, rates, memory."""

from __future__ import annotations

import dataclasses
import threading
import time

import requests

from gateway import Gateway, Metrics

INTERVAL_S = 0.2


@dataclasses.dataclass
class Sample:
    at: float
    process: int
    spooled: float
    recovered: float
    delivered: float
    accepted: float
    resident_bytes: int
    metrics: Metrics


class Sampler(threading.Thread):
    def __init__(self, gateways: list[Gateway]) -> None:
        super().__init__(daemon=True)
        self._gateways = gateways
        self._stop_event = threading.Event()
        self.samples: list[Sample] = []

    def run(self) -> None:
        while not self._stop_event.wait(INTERVAL_S):
            for gateway in self._gateways:
                self.take(gateway)

    def take(self, gateway: Gateway) -> None:
        """One sample, if it answers."""
        try:
            process = gateway.process.pid if gateway.process is not None else 0
            metrics, resident = gateway.metrics(), gateway.resident_bytes()
        except (requests.RequestException, OSError, AttributeError):
            return  # it is down just now
        read = lambda name: metrics.total(f"spangate_records_{name}")
        self.samples.append(Sample(
            time.time(), process, read("spooled"), read("recovered_total"),
            read("delivered_total"), read("accepted_total"), resident, metrics))

    def stop(self) -> None:
        self._stop_event.set()
        if self.is_alive():
            self.join()

    def spooled_max(self) -> int:
        return int(max((sample.spooled for sample in self.samples), default=0))

    def recovered(self) -> int:
        """Over all processes."""
        by_process = {sample.process: sample.recovered for sample in self.samples}
        return int(sum(by_process.values()))

    def resident_bytes_max(self) -> int:
        return max((sample.resident_bytes for sample in self.samples), default=0)

    def drain_rates(self, since: float) -> tuple[float, float]:
        """Records a second delivered, and taken in, from the fullest spool after `since` until it
        was empty; zeros when there is no such stretch of one process."""
        after = [sample for sample in self.samples if sample.at >= since]
        if not after or max(sample.spooled for sample in after) == 0:
            return 0, 0
        first = max(after, key=lambda sample: sample.spooled)
        for last in after[after.index(first) + 1:]:
            if last.process != first.process:
                break
            if last.spooled == 0:
                seconds = last.at - first.at
                return ((last.delivered - first.delivered) / seconds,
                        (last.accepted - first.accepted) / seconds)
        return 0, 0
