"""The canary matrix against a running gateway: every place of OTLP × every detector, over HTTP with
protobuf and JSON and over gRPC. No canary may stand in what it writes (but for evidence), logs at
level debug, counts, shows of its configuration, or answers. Run with -s to see the counts."""

from __future__ import annotations

import pathlib
from typing import Any, Iterator

import grpc
import pytest
import requests

import canaries
from canaries import CANARIES, Canary, Place, shown
from gateway import Gateway
from otlp import EXPORT, JSON, PROTOBUF, GrpcClient, post, to_json
from otlp_logs import EXPORT_LOGS, logs_to_json

WAYS = ("http protobuf", "http json", "grpc")


class Told:
    """Everything the gateway has answered."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.grpc = GrpcClient(gateway.grpc_target)
        self.replies: list[bytes] = []
        self.failures = 0

    def send(self, is_log: bool, message: Any, way: str) -> None:
        if way == "grpc":
            self.call(message.SerializeToString(), is_log)
            return
        as_json = logs_to_json if is_log else to_json
        body = as_json(message) if way == "http json" else message.SerializeToString()
        self.post(body, JSON if way == "http json" else PROTOBUF,
                  path="/v1/logs" if is_log else "/v1/traces")

    def post(self, body: bytes, content_type: str, **options: Any) -> int:
        reply = post(self.gateway.http_port, body, content_type, **options)
        self.replies.append(reply.body + str(reply.headers).encode())
        self.failures += reply.status != 200
        return reply.status

    def call(self, body: bytes, is_log: bool, **options: Any) -> None:
        try:
            reply = self.grpc.export(body, method=EXPORT_LOGS if is_log else EXPORT, **options)
            self.replies.append(reply.SerializeToString())
        except grpc.RpcError as failure:
            self.failures += 1
            trailers = repr(failure.trailing_metadata())
            self.replies.append(f"{failure.details()} {trailers}".encode())


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    directory = tmp_path_factory.mktemp("canaries")
    config = {"exporters": {"jsonl": {"directory": str(directory / "data")}}, "log": {"level": "debug"}}
    with Gateway(directory, config).start().wait_until_ready() as gateway:
        made = Told(gateway)
        yield made
        made.grpc.close()


def leaks(where: str, text: bytes) -> list[str]:
    return [f"{where}: {canary.detector} {canary.text!r}" for canary in CANARIES
            if shown(canary, text)]


def files_of(gateway: Gateway) -> dict[str, bytes]:
    data = gateway.directory / "data"
    return {str(file.relative_to(data)): file.read_bytes()
            for file in sorted(pathlib.Path(data).rglob("*")) if file.is_file()}


def surfaces(gateway: Gateway) -> dict[str, bytes]:
    """All that a person who may not read evidence can see of a gateway."""
    found = {name: text for name, text in files_of(gateway).items() if "evidence" not in name}
    for path in ("metrics", "config", "healthz", "readyz"):
        found[f"/{path}"] = requests.get(f"{gateway.admin_url}/{path}", timeout=10).content
    found["the log"] = gateway.log().encode()
    return found


def send_matrix(told: Told) -> tuple[int, int]:
    """Returns how many cells were sent, and how many places there are."""
    cells, session = 0, 0
    places = [(place, False) for place in canaries.span_places()]
    places += [(place, True) for place in canaries.log_places()]
    for place, is_log in places:
        make = canaries.logs_request if is_log else canaries.trace_request
        for way in WAYS:
            message, placed = make(place, session)
            told.send(is_log, message, way)
            session += len(placed)
            cells += len(placed)
    return cells, len(places)


def test_no_canary_is_seen_but_in_evidence(told: Told) -> None:
    cells, places = send_matrix(told)
    assert told.failures == 0, told.replies[-1]
    found = surfaces(told.gateway)
    assert any("operational" in name for name in found), sorted(found)
    assert any("detail" in name for name in found), sorted(found)
    seen = [leak for where, text in found.items() for leak in leaks(where, text)]
    seen += [leak for reply in told.replies for leak in leaks("a reply", reply)]
    assert not seen, "\n".join(seen[:50])
    evidence = b"".join(text for name, text in files_of(told.gateway).items() if "evidence" in name)
    untold = [canary.text for canary in CANARIES if not shown(canary, evidence)]
    assert not untold, untold  # else nothing was proven
    produced = told.gateway.metrics().total("spangate_items_produced_total")
    assert produced == cells
    print(f"\ncanary matrix, running gateway: {places} places × {len(CANARIES)} canaries × {len(WAYS)} "
          f"ways = {cells} cells, {sum(map(len, found.values()))} bytes of {len(found)} surfaces and "
          f"{len(told.replies)} replies searched, 0 leaks")


def broken_bodies(place: Place, is_log: bool) -> list[tuple[bytes, str]]:
    make = canaries.logs_request if is_log else canaries.trace_request
    message, _ = make(place, 0)
    coded = message.SerializeToString()
    document = (logs_to_json if is_log else to_json)(message)
    return [
        (coded[:-7], PROTOBUF), (coded[:len(coded) // 2], PROTOBUF), (coded + b"\xff", PROTOBUF),
        (document[:-2], JSON), (document[:len(document) // 2], JSON), (document, PROTOBUF),
        (coded, JSON), (document.replace(b'"note"', b'"note', 1) + b"x", JSON),
    ]


def test_no_canary_is_told_in_the_reply_to_what_cannot_be_read(told: Told) -> None:
    before = told.failures
    for place, is_log in ([(one, False) for one in canaries.span_places()[::4]]
                          + [(one, True) for one in canaries.log_places()[::4]]):
        for body, content_type in broken_bodies(place, is_log):
            told.post(body, content_type, path="/v1/logs" if is_log else "/v1/traces")
            if content_type == PROTOBUF:
                told.call(body, is_log)
    assert told.failures > before + 50
    check_all(told)


def test_no_canary_is_told_in_the_reply_to_spans_that_are_refused(told: Told) -> None:
    for place in canaries.span_places():
        message, _ = canaries.trace_request(place, 0)
        for group in message.resource_spans:
            group.scope_spans[0].spans[0].trace_id = b"short"
        told.post(message.SerializeToString(), PROTOBUF)
        told.call(message.SerializeToString(), False)
    check_all(told)


def one_line(canary: Canary) -> str:
    return canary.text.replace("\n", " ")


def test_no_canary_of_a_request_line_or_header_is_seen(told: Told) -> None:
    for canary in CANARIES:
        text = one_line(canary)
        path = requests.utils.quote(text, safe="@:=;,+()")
        told.post(b"", PROTOBUF, path=f"/v1/{path}")
        told.post(b"", PROTOBUF, path=f"/v1/traces?key={path}")
        told.post(b"{}", text)
        told.post(b"", PROTOBUF, coding=text)
        told.post(b"", PROTOBUF, headers={"Authorization": text, "X-Canary": text, "Cookie": text})
        told.call(b"", False, metadata=(("x-canary", text), ("authorization", text)))
        told.call(b"\xff" + text.encode(), False, metadata=(("x-canary", text),))
    check_all(told)


def check_all(told: Told) -> None:
    seen = [leak for where, text in surfaces(told.gateway).items() for leak in leaks(where, text)]
    seen += [leak for reply in told.replies for leak in leaks("a reply", reply)]
    assert not seen, "\n".join(seen[:50])
