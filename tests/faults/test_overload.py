"""More than the gateway can hold: it refuses in time, keeps its memory, and small clients get in."""

from __future__ import annotations

import collections
import http.client
import threading
import time
from typing import Any, Callable

import otlp
from conftest import Lone
from journal import Request
from trial import Scale, Trial

Make = Callable[..., Trial]
Judge = Callable[..., Any]

MEMORY_MIB = 64
BODY_MIB = 2
CLIENTS = 80  # with the lease of 4 times a body: ten times the memory
BODIES = 16


class Flood:
    """Large clients, each on a connection of its own, who never wait and never come back later."""

    def __init__(self, trial: Trial) -> None:
        self._port = trial.gateway.http_port
        self._bodies = [self._body(trial, number) for number in range(BODIES)]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(self._bodies[n % BODIES],))
                         for n in range(CLIENTS)]
        self.replies: collections.Counter[int] = collections.Counter()
        self.without_delay = 0  # refusals that did not say when to come back

    def __enter__(self) -> Flood:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, body: bytes) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        while not self._stop.is_set():
            try:
                reply = otlp.post(self._port, body, connection=connection)
            except (OSError, http.client.HTTPException):
                connection.close()  # refused before the body was read: the connection goes with it
                continue
            self.replies[reply.status] += 1
            if reply.status != 200 and "Retry-After" not in reply.headers:
                self.without_delay += 1
        connection.close()

    @staticmethod
    def _body(trial: Trial, number: int) -> bytes:
        span = otlp.chat_span(f"flood-{number}", content="x" * (BODY_MIB << 20))
        trial.journal.requests["flood", number] = Request(
            "flood", number, time.time(), span.trace_id.hex(), [(span.span_id.hex(), "chat")])
        return otlp.request([span]).SerializeToString()


def test_ten_times_the_memory_is_offered(lone: Lone, make_trial: Make, judged: Judge,
                                         scale: Scale) -> None:
    trial = make_trial(lone.cluster, config={
        "memory_bytes_max": f"{MEMORY_MIB}MiB",
        "receivers": {"otlp": {"limits": {"request_bytes_max": "8MiB"}}}}).begin()
    with Flood(trial) as flood:
        trial.run_for(scale.of(8, 120))
        trial.wait_for_spans(100)
    trial.healed()
    figures = judged(trial, "R-07", "ten times the memory offered",
                     more=f"large clients heard {dict(flood.replies)}")
    assert flood.replies[200] > 0 and sum(flood.replies.values()) > flood.replies[200]
    assert set(flood.replies) <= {200, 429, 503} and flood.without_delay == 0
    assert figures.resident_mib <= MEMORY_MIB + 64
    assert figures.refused == 0, "a small client was turned away for the large ones"
