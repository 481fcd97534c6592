"""The canary matrix against a running gateway: every place of OTLP × every detector, plain and coded,
over HTTP with protobuf and JSON and over gRPC; into JSONL files, and into a real Kafka in both
encodings. No canary may stand in what it writes (but for evidence in clear), in keys and headers, logs
at level debug, counts, shows of its configuration, or answers. Run with -s to see the counts."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Iterator

import grpc
import pytest
import requests

import canaries
from canaries import CANARIES, Canary, Place, shown
from event_message import event_message
from gateway import Gateway, merge, run
from kafka_cluster import KafkaBroker
from otlp import EXPORT, JSON, PROTOBUF, GrpcClient, chat_span, post, request, to_json
from otlp_logs import EXPORT_LOGS, logs_to_json
from stage import kafka_config, topics_named
from topic_reader import TopicReader

WAYS = ("http protobuf", "http json", "grpc")


class Files:
    """A gateway whose sink is JSONL files."""

    name = "JSONL files"
    ways = WAYS

    def __init__(self, directory: pathlib.Path) -> None:
        self.data = directory / "data"
        self.config: dict[str, Any] = {"exporters": {"jsonl": {"directory": str(self.data)}}}

    def surfaces(self) -> dict[str, bytes]:
        return {name: text for name, text in self._read().items() if "evidence" not in name}

    def evidence(self) -> bytes:
        return b"".join(text for name, text in self._read().items() if "evidence" in name)

    def _read(self) -> dict[str, bytes]:
        return {str(file.relative_to(self.data)): file.read_bytes()
                for file in sorted(self.data.rglob("*")) if file.is_file()}


class Topics:
    """A gateway on a real broker. Its topics are read as bytes, with keys and headers; protobuf as
    text besides, because a number looks different there."""

    def __init__(self, kafka: KafkaBroker, directory: pathlib.Path, encoding: str,
                 is_sealed: bool) -> None:
        # How a request comes in does not decide how it goes out: one way each is enough.
        self.ways = ("grpc",) if is_sealed else ("http json",)
        self.name = f"Kafka in {encoding}, evidence {'sealed' if is_sealed else 'in clear'}"
        self.is_sealed = is_sealed
        self.topics = topics_named(f"canaries-{encoding}")
        evidence: dict[str, Any] = {"enabled": True}
        if is_sealed:
            self.topics["evidence_keys"] = f"canaries-{encoding}.evidence-keys"
            key_file = directory / "keys.json"
            key = {"id": "k1", "key": os.urandom(32).hex()}
            key_file.write_text(json.dumps({"tenants": {"default": [key]}}))
            key_file.chmod(0o600)
            evidence["encrypt"] = {"key_file": str(key_file), "per": "tenant"}
        kafka.create_topics(list(self.topics.values()))
        self.config = merge(kafka_config(kafka, self.topics), {
            "exporters": {"kafka": {"encoding": encoding, "headers": "full"}},
            "processors": {"route": {"evidence": evidence}}})
        self.reader = TopicReader(kafka.bootstrap, self.topics)
        self._read: dict[str, list[bytes]] = {name: [] for name in self.topics}
        self._count = 0

    def surfaces(self) -> dict[str, bytes]:
        hidden = () if self.is_sealed else ("evidence",)
        return {name: text for name, text in self._texts().items() if name not in hidden}

    def evidence(self) -> bytes:
        return self._texts()["evidence"]

    def _texts(self) -> dict[str, bytes]:
        records = self.reader.refresh()
        for record in records[self._count:]:
            found = self._read[record.event_class]
            found += [record.raw, record.key.encode(), repr(record.headers).encode()]
            if not record.raw.startswith(b"{"):
                found.append(str(event_message().FromString(record.raw)).encode())
        self._count = len(records)
        return {name: b"\n".join(found) for name, found in self._read.items()}


class Told:
    """Everything the gateway has answered."""

    def __init__(self, gateway: Gateway, sink: Files | Topics) -> None:
        self.gateway = gateway
        self.sink = sink
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


@pytest.fixture(scope="module", params=["jsonl", "kafka json", "kafka protobuf"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    directory = tmp_path_factory.mktemp("canaries")
    sink: Files | Topics = Files(directory)
    if request.param != "jsonl":
        encoding = request.param.split()[1]
        sink = Topics(request.getfixturevalue("kafka"), directory, encoding, encoding == "protobuf")
    config = merge(sink.config, {"log": {"level": "debug"}})
    with Gateway(directory, config).start().wait_until_ready() as gateway:
        made = Told(gateway, sink)
        yield made
        made.grpc.close()
        if isinstance(sink, Topics):
            sink.reader.close()


def leaks(where: str, text: bytes) -> list[str]:
    return [f"{where}: {canary.detector} {canary.text!r}" for canary in CANARIES
            if shown(canary, text)]


def surfaces(told: Told) -> dict[str, bytes]:
    """All that a person who may not read evidence can see of a gateway."""
    found = told.sink.surfaces()
    for path in ("metrics", "config", "healthz", "readyz"):
        found[f"/{path}"] = requests.get(f"{told.gateway.admin_url}/{path}", timeout=10).content
    found["the log"] = told.gateway.log().encode()
    return found


def send_matrix(told: Told) -> tuple[int, int]:
    """Returns how many cells were sent, and how many places there are."""
    cells, session = 0, 0
    places = [(place, False) for place in canaries.span_places()]
    places += [(place, True) for place in canaries.log_places()]
    for place, is_log in places:
        make = canaries.logs_request if is_log else canaries.trace_request
        for way in told.sink.ways:
            message, placed = make(place, session)
            told.send(is_log, message, way)
            session += len(placed)
            cells += len(placed)
    return cells, len(places)


def test_no_canary_is_seen_but_in_evidence(told: Told) -> None:
    cells, places = send_matrix(told)
    assert told.failures == 0, told.replies[-1]
    found = surfaces(told)
    assert any("operational" in name for name in found), sorted(found)
    assert any("detail" in name for name in found), sorted(found)
    seen = leaks_of(found, told)
    assert not seen, "\n".join(seen[:50])
    assert_evidence_is_whole(told, cells)  # else nothing was proven
    assert told.gateway.metrics().total("spangate_items_produced_total") == cells
    print(f"\ncanary matrix, {told.sink.name}: {places} places × {len(CANARIES)} canaries × {len(told.sink.ways)} "
          f"ways = {cells} cells, {sum(map(len, found.values()))} bytes of {len(found)} surfaces and "
          f"{len(told.replies)} replies searched, 0 leaks")


def leaks_of(found: dict[str, bytes], told: Told) -> list[str]:
    seen = [leak for where, text in found.items() for leak in leaks(where, text)]
    return seen + leaks("a reply", b"\n".join(told.replies))


def assert_evidence_is_whole(told: Told, cells: int) -> None:
    if isinstance(told.sink, Topics) and told.sink.is_sealed:
        reply = run("evidence", "verify", "--json", "--config", str(told.gateway.config_file),
                    timeout_s=60)
        report = json.loads(reply.stdout)
        assert reply.returncode == 0 and report["match"] == report["decrypted"] > cells // 2, report
        return
    evidence = told.sink.evidence()
    untold = [canary.text for canary in CANARIES if not shown(canary, evidence)]
    assert not untold, untold


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


# Keys and headers are made of these. By contract, ids are looked at by the detectors that can be sure.
IDENTITIES = ("gen_ai.conversation.id", "session.id", "user.id", "tenant.id", "gen_ai.agent.id",
              "gen_ai.agent.name", "gen_ai.tool.call.id", "gen_ai.response.id", "service.name")


def test_no_canary_in_an_identity_is_seen(told: Told) -> None:
    sure = [canary for canary in CANARIES if canary.detector not in ("phone", "ssn", "ip", "mac", "entropy")]
    for canary in sure:
        for name in IDENTITIES:
            span = chat_span(None, attributes={name: canary.text})
            resource = {name: canary.text} if name in ("tenant.id", "service.name") else {}
            told.send(False, request([span], resource), told.sink.ways[0])
    check_all(told)


def check_all(told: Told) -> None:
    seen = leaks_of(surfaces(told), told)
    assert not seen, "\n".join(seen[:50])
