#!/usr/bin/env python3
"""Agents that never give up: several sessions, each sending one request after another and repeating
it, with the same spans, until it is acknowledged; and a journal of what was acknowledged.

    session_sender.py --http 4318 --grpc 4317 --journal FILE [--sessions 6] [--rate 20] …

Sessions speak in turns OTLP/HTTP protobuf, OTLP/gRPC, OTLP/HTTP JSON and gzipped protobuf. A request
is one trace: model calls and tool calls with content. What is answered as OTLP calls retryable,
or not at all, is repeated like an SDK does it: doubling waits with jitter, Retry-After
and RetryInfo honoured, both up to --wait-max. Several ports (4318,5318): a session goes on to the
next one after a failure, or after each request with --spread. Ends on SIGTERM: requests under way
are repeated for --patience seconds more.

The journal has a JSON array a line, flushed at once:
    ["sent", session, number, time, trace id, [[span id, kind]…]]  before the first attempt
    ["ack",  session, number, time, attempts, seconds, rejected]   rejected: partial_success's count
    ["gave up", session, number, time, attempts, reply]            after any other answer
    ["end",  replies, latencies]                                   {reply: count}, {p50, p99, max}
`kind` is "chat" or "tool"; times are time.time().
"""

from __future__ import annotations

import argparse
import collections
import http.client
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import sys
import threading
import time
from typing import Any, Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "harness"))

import grpc  # noqa: E402
import otlp  # noqa: E402

EXPORT_TIMEOUT_S = 10  # the SDKs' default
FIRST_WAIT_S = 0.1
# OTLP, «Failures»; a connection that ends under a call gives CANCELLED or nothing at all.
RETRYABLE = {"429", "502", "503", "504", "CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE",
             "UNAVAILABLE", "DATA_LOSS", "no reply"}
WORDS = ("refund order invoice customer agent policy retry budget answer tool search result page "
         "please check limit amount reason note ticket state plan step delay parcel").split()


class Journal:
    def __init__(self, path: str) -> None:
        self._file = open(path, "a", buffering=1)
        self._lock = threading.Lock()
        self._replies: collections.Counter[str] = collections.Counter()
        self._latencies_s: list[float] = []

    def sent(self, session: str, number: int, trace: bytes, spans: list[tuple[bytes, str]]) -> None:
        told = [[span_id.hex(), kind] for span_id, kind in spans]
        self._write(["sent", session, number, time.time(), trace.hex(), told])

    def acknowledged(self, session: str, number: int, attempts: int, seconds: float,
                     rejected: int) -> None:
        self._latencies_s.append(seconds)
        self._write(["ack", session, number, time.time(), attempts, round(seconds, 4), rejected])

    def gave_up(self, session: str, number: int, attempts: int, reply: str) -> None:
        self._write(["gave up", session, number, time.time(), attempts, reply])

    def reply(self, name: str) -> None:
        with self._lock:
            self._replies[name] += 1

    def end(self) -> None:
        seen = sorted(self._latencies_s) or [0.0]
        place = lambda share: round(seen[min(len(seen) - 1, int(share * len(seen)))], 4)
        told = {"p50": place(0.5), "p99": place(0.99), "max": seen[-1]}
        self._write(["end", dict(self._replies), told])

    def _write(self, line: list[Any]) -> None:
        text = json.dumps(line, separators=(",", ":")) + "\n"
        with self._lock:
            self._file.write(text)


class HttpDoor:
    """One kept connection; loses it on purpose for --lose-replies."""

    def __init__(self, port: int, as_json: bool, coding: str) -> None:
        self._port, self._as_json, self._coding = port, as_json, coding
        self._connection: http.client.HTTPConnection | None = None

    def export(self, message: otlp.Request, loses_reply: bool) -> tuple[str, float, int]:
        """What came back, how long it asks to wait, how many spans it rejected."""
        body = otlp.to_json(message) if self._as_json else message.SerializeToString()
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection(
                    "127.0.0.1", self._port, timeout=EXPORT_TIMEOUT_S)
            if loses_reply:
                self._send_and_leave(body)
                return "no reply", 0, 0
            reply = otlp.post(self._port, body, otlp.JSON if self._as_json else otlp.PROTOBUF,
                              coding=self._coding, connection=self._connection)
        except (OSError, http.client.HTTPException):
            self._drop()
            return "no reply", 0, 0
        if reply.headers.get("Connection", "").lower() == "close":
            self._drop()
        if reply.status == 200:
            return "200", 0, reply.response().partial_success.rejected_spans
        return str(reply.status), float(reply.headers.get("Retry-After") or 0), 0

    def _send_and_leave(self, body: bytes) -> None:
        connection = self._connection
        assert connection is not None
        kind = otlp.JSON if self._as_json else otlp.PROTOBUF
        sent = {"Content-Type": kind}
        if self._coding != "identity":
            sent["Content-Encoding"] = self._coding
            body = otlp.CODINGS[self._coding](body)
        connection.request("POST", "/v1/traces", body, sent)
        time.sleep(random.uniform(0, 0.05))
        assert connection.sock is not None
        connection.sock.shutdown(socket.SHUT_RDWR)
        self._drop()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


class GrpcDoor:
    def __init__(self, port: int) -> None:
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[
            ("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0),
            ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000)])
        self._call = self._channel.unary_unary(otlp.EXPORT)

    def export(self, message: otlp.Request, loses_reply: bool) -> tuple[str, float, int]:
        timeout_s = random.uniform(0.001, 0.05) if loses_reply else EXPORT_TIMEOUT_S
        try:
            answer = self._call(message.SerializeToString(), timeout=timeout_s)
        except grpc.RpcError as failure:
            info = otlp.retry_info(failure)
            wait_s = info.retry_delay.ToMilliseconds() / 1000 if info else 0
            return failure.code().name, wait_s, 0
        return "200", 0, otlp.Response.FromString(answer).partial_success.rejected_spans


class Session:
    """One agent. Its requests follow one another, so that their order is defined."""

    def __init__(self, index: int, options: argparse.Namespace, journal: Journal,
                 stop: threading.Event) -> None:
        self.name = f"{options.prefix}-{index}"
        self._options, self._journal, self._stop = options, journal, stop
        self._random = random.Random(f"{options.seed}/{index}")
        self._text = " ".join(self._random.choices(WORDS, k=options.content_bytes // 3))
        ports = options.grpc if index % 4 == 1 else options.http
        self._doors = itertools.cycle([self._door(index, port) for port in ports])
        self._at = next(self._doors)
        self._deadline = float("inf")

    @staticmethod
    def _door(index: int, port: int) -> HttpDoor | GrpcDoor:
        if index % 4 == 1:
            return GrpcDoor(port)
        return HttpDoor(port, as_json=index % 4 == 2, coding="gzip" if index % 4 == 3 else "identity")

    def run(self) -> None:
        interval_s = 1 / self._options.rate if self._options.rate else 0
        due = time.monotonic() + self._random.random() * interval_s
        for number in range(self._options.requests or sys.maxsize):
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            # What a stall delayed is not made up for: the load stays what it was.
            due = max(due + interval_s, time.monotonic() - interval_s)
            if not self._send(number):
                return

    def _send(self, number: int) -> bool:
        trace, kinds = os.urandom(16), self._kinds(number)
        spans = [(os.urandom(8), kind) for kind in kinds]
        message = otlp.request(
            self._span(trace, span_id, kind, number) for span_id, kind in spans)
        self._journal.sent(self.name, number, trace, spans)
        started, wait_s = time.monotonic(), FIRST_WAIT_S
        for attempt in itertools.count(1):
            loses_reply = attempt == 1 and self._random.random() < self._options.lose_replies
            reply, asked_s, rejected = self._at.export(message, loses_reply)
            self._journal.reply("reply lost" if loses_reply else reply)
            if reply == "200":
                seconds = time.monotonic() - started
                self._journal.acknowledged(self.name, number, attempt, seconds, rejected)
                if self._options.spread:
                    self._at = next(self._doors)
                return True
            if reply not in RETRYABLE:
                self._journal.gave_up(self.name, number, attempt, reply)
                return True
            self._at = next(self._doors)
            self._rest(max(asked_s, wait_s * self._random.uniform(0.8, 1.2)))
            wait_s *= 2
            if self._is_over():
                return False
        return False

    def _rest(self, seconds: float) -> None:
        time.sleep(min(seconds, self._options.wait_max))

    def _is_over(self) -> bool:
        if not self._stop.is_set():
            return False
        self._deadline = min(self._deadline, time.monotonic() + self._options.patience)
        return time.monotonic() >= self._deadline

    def _kinds(self, number: int) -> list[str]:
        return ["tool" if (number + n) % 3 == 0 else "chat" for n in range(self._options.spans)]

    def _span(self, trace: bytes, span_id: bytes, kind: str, number: int) -> Any:
        size = self._options.content_bytes
        if self._options.large_every and number % self._options.large_every == 0:
            size = self._options.large_bytes
        start = self._random.randrange(max(1, len(self._text) - size // 2))
        content = (self._text[start:] + " " + self._text)[:size].ljust(size, ".")
        if kind == "chat":
            return otlp.chat_span(self.name, content=content, trace_id=trace, span_id=span_id)
        return otlp.span("execute_tool search", {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search",
            "gen_ai.tool.call.id": span_id.hex(), "gen_ai.conversation.id": self.name,
            "gen_ai.tool.call.arguments": json.dumps({"query": content[:100], "page": number}),
            "gen_ai.tool.call.result": content,
        }, trace_id=trace, span_id=span_id)


def ports(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--http", type=ports, required=True, help="ports on loopback")
    parser.add_argument("--grpc", type=ports, required=True, help="as many")
    parser.add_argument("--journal", required=True)
    parser.add_argument("--prefix", default="session")
    parser.add_argument("--sessions", type=int, default=6)
    parser.add_argument("--spans", type=int, default=5, help="per request")
    parser.add_argument("--rate", type=float, default=10, help="requests per session and second")
    parser.add_argument("--requests", type=int, default=0, help="per session; 0: until SIGTERM")
    parser.add_argument("--content-bytes", type=int, default=600)
    parser.add_argument("--large-every", type=int, default=0, help="of a session's requests")
    parser.add_argument("--large-bytes", type=int, default=100_000)
    parser.add_argument("--lose-replies", type=float, default=0, help="share of first attempts")
    parser.add_argument("--spread", action="store_true", help="over all ports in turns")
    parser.add_argument("--wait-max", type=float, default=1.0)
    parser.add_argument("--patience", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = parsed(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    journal = Journal(options.journal)
    threads = [
        threading.Thread(target=Session(index, options, journal, stop).run, daemon=True)
        for index in range(options.sessions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)  # signals are served between
    journal.end()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
