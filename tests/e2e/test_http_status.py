"""The status table over OTLP/HTTP: what the client gets, and in which encoding."""

from __future__ import annotations

import gzip
import http.client
import json
import os
from typing import Any, Callable

import pytest

import otlp
from kafka_cluster import KafkaBroker
from otlp import JSON, PROTOBUF, chat_span, post, request, to_json
from stage import Stage

ENCODINGS = [PROTOBUF, JSON]
MIB = 1024 * 1024


def encoded(made: otlp.Request, content_type: str) -> bytes:
    return to_json(made) if content_type == JSON else made.SerializeToString()


def delivered(stage: Stage, session_id: str) -> int:
    return len(stage.reader.of_session(session_id)["operational"])


@pytest.mark.parametrize("content_type", ENCODINGS)
@pytest.mark.parametrize("coding", ["identity", "gzip", "deflate", "zstd"])
def test_every_content_coding_is_taken(stage: Stage, session_id: str, content_type: str,
                                       coding: str) -> None:
    reply = post(stage.gateway.http_port, encoded(request([chat_span(session_id)]), content_type),
                 content_type, coding=coding)
    assert reply.content_type == content_type
    assert not reply.response().HasField("partial_success")
    assert delivered(stage, session_id) == 1


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_full_success_is_an_empty_message(stage: Stage, session_id: str, content_type: str) -> None:
    reply = post(stage.gateway.http_port, encoded(request([chat_span(session_id)]), content_type),
                 content_type)
    assert reply.body == (b"{}" if content_type == JSON else b"")


@pytest.mark.parametrize("body,content_type", [
    (b"", PROTOBUF), (request([]).SerializeToString(), PROTOBUF), (b"{}", JSON),
    (b'{"resourceSpans":[]}', JSON), (b'{"resourceSpans":[{"scopeSpans":[{}]}]}', JSON)])
def test_an_empty_request_succeeds(stage: Stage, body: bytes, content_type: str) -> None:
    post(stage.gateway.http_port, body, content_type).response()


def test_a_chunked_body_needs_no_length(stage: Stage, session_id: str) -> None:
    body = request([chat_span(session_id, content="x" * 50_000)]).SerializeToString()
    post(stage.gateway.http_port, body, chunks=7).response()
    assert delivered(stage, session_id) == 1


def test_a_connection_serves_many_requests(stage: Stage, session_id: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", stage.gateway.http_port, timeout=10)
    connection.connect()
    socket = connection.sock
    for _ in range(5):
        body = request([chat_span(session_id)]).SerializeToString()
        post(stage.gateway.http_port, body, connection=connection).response()
        assert connection.sock is socket
    assert post(stage.gateway.http_port, b"\xff", connection=connection).status == 400
    body = request([chat_span(session_id)]).SerializeToString()
    post(stage.gateway.http_port, body, connection=connection).response()
    connection.close()
    assert delivered(stage, session_id) == 6


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_spans_with_bad_ids_are_rejected_and_counted_exactly(stage: Stage, session_id: str,
                                                            content_type: str) -> None:
    bad = [{"trace_id": os.urandom(15)}, {"span_id": os.urandom(9)}, {"trace_id": b""}]
    spans = [chat_span(session_id) for _ in range(7)] + [chat_span(session_id, **ids) for ids in bad]
    reply = post(stage.gateway.http_port, encoded(request(spans), content_type), content_type)
    partial = reply.response().partial_success
    assert partial.rejected_spans == 3
    assert partial.error_message
    assert delivered(stage, session_id) == 7


@pytest.mark.parametrize("content_type", ENCODINGS)
@pytest.mark.parametrize("body", [
    b"\xff\xff\xff\xff", b"not otlp at all", b'{"resourceSpans": [', b'{"resourceSpans": 7}',
    b"\x0a\x7f\x0a", b"[1, 2]", b'"text"'])
def test_what_cannot_be_decoded_is_400(stage: Stage, content_type: str, body: bytes) -> None:
    reply = post(stage.gateway.http_port, body, content_type)
    assert reply.status == 400
    assert reply.content_type == content_type
    assert reply.error().message


@pytest.mark.parametrize("coding,body", [
    ("gzip", b"this is not gzip"), ("gzip", gzip.compress(b"x" * 1000)[:-9]), ("deflate", b"\x00\x01"),
    ("zstd", b"\x28\xb5\x2f\xfd")])
def test_a_broken_coding_is_400(stage: Stage, coding: str, body: bytes) -> None:
    reply = post(stage.gateway.http_port, body, headers={"Content-Encoding": coding})
    assert reply.status == 400
    assert reply.error().message


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_an_unknown_path_is_404(stage: Stage, content_type: str) -> None:
    reply = post(stage.gateway.http_port, b"", content_type, path="/v2/traces")
    assert reply.status == 404
    assert reply.content_type == content_type
    assert reply.error().message


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_another_method_is_405(stage: Stage, method: str) -> None:
    reply = post(stage.gateway.http_port, b"", method=method)
    assert reply.status == 405
    assert "POST" in reply.headers["Allow"]
    assert reply.error().message


@pytest.mark.parametrize("content_type,headers", [
    ("text/plain", {}), ("application/xml", {}), (PROTOBUF, {"Content-Encoding": "br"})])
def test_an_unknown_type_or_coding_is_415(stage: Stage, content_type: str,
                                          headers: dict[str, str]) -> None:
    reply = post(stage.gateway.http_port, b"x", content_type, headers=headers)
    assert reply.status == 415
    assert reply.error().message


def test_a_type_with_parameters_is_taken(stage: Stage, session_id: str) -> None:
    body = to_json(request([chat_span(session_id)]))
    reply = post(stage.gateway.http_port, body, "application/json; charset=utf-8")
    assert not reply.response().HasField("partial_success")


@pytest.fixture(scope="module")
def small_stage(kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Stage:
    return make_stage(kafka, {"receivers": {"otlp": {"limits": {
        "request_bytes_max": "1MiB", "spans_per_request_max": 10}}}})


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_a_large_body_is_413(small_stage: Stage, content_type: str) -> None:
    reply = post(small_stage.gateway.http_port, b"\x0a" * (MIB + 1), content_type)
    assert reply.status == 413
    assert reply.error().message
    assert "Retry-After" not in reply.headers


def test_a_large_chunked_body_is_413(small_stage: Stage) -> None:
    try:
        reply = post(small_stage.gateway.http_port, b"\x0a" * (2 * MIB), chunks=20)
    except (BrokenPipeError, ConnectionResetError):
        return  # closed while we still sent: the limit held, the reply was lost on the way
    assert reply.status == 413


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_413_and_costs_no_memory(small_stage: Stage, coding: str) -> None:
    bomb = otlp.CODINGS[coding](bytes(256 * MIB))
    assert len(bomb) < MIB
    before = small_stage.gateway.resident_bytes()
    reply = post(small_stage.gateway.http_port, bomb, headers={"Content-Encoding": coding})
    assert reply.status == 413
    assert small_stage.gateway.resident_bytes() - before < 32 * MIB


@pytest.mark.parametrize("content_type", ENCODINGS)
def test_spans_beyond_the_limit_are_a_partial_success(small_stage: Stage, session_id: str,
                                                      content_type: str) -> None:
    spans = [chat_span(session_id) for _ in range(25)]
    reply = post(small_stage.gateway.http_port, encoded(request(spans), content_type), content_type)
    assert reply.response().partial_success.rejected_spans == 15
    assert delivered(small_stage, session_id) == 10


class TestJson:
    """OTLP/JSON as the specification has it, not as protobuf's own mapping does."""

    @staticmethod
    def body(session_id: str, **over: Any) -> dict[str, Any]:
        span = {
            "traceId": os.urandom(16).hex(), "spanId": os.urandom(8).hex(), "name": "chat gpt-4o",
            "kind": 3, "startTimeUnixNano": "1763700000000000000",
            "endTimeUnixNano": 1763700001000000000,
            "attributes": [
                {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
                {"key": "gen_ai.conversation.id", "value": {"stringValue": session_id}},
                {"key": "gen_ai.usage.input_tokens", "value": {"intValue": "12"}},
                {"key": "gen_ai.usage.output_tokens", "value": {"intValue": 7}},
            ],
        } | over
        return {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"spans": [span]}]}]}

    @staticmethod
    def send(stage: Stage, body: dict[str, Any]) -> otlp.HttpReply:
        return post(stage.gateway.http_port, json.dumps(body).encode(), JSON)

    def test_integers_are_strings_or_numbers(self, stage: Stage, session_id: str) -> None:
        self.send(stage, self.body(session_id)).response()
        event = stage.reader.of_session(session_id)["operational"][0].event
        assert (event["tokens_prompt"], event["tokens_completion"]) == (12, 7)
        assert event["timestamp"] == "2025-11-21T04:40:01.000000000Z"

    def test_ids_are_hex_in_either_case(self, stage: Stage, session_id: str) -> None:
        trace_id = "ABCDEF0123456789abcdef0123456789"
        self.send(stage, self.body(session_id, traceId=trace_id)).response()
        event = stage.reader.of_session(session_id)["operational"][0].event
        assert event["trace_id"] == trace_id.lower()

    def test_unknown_fields_are_ignored(self, stage: Stage, session_id: str) -> None:
        unknown = {"deep": [{"er": {"still": [None, True, 1.5e300, "\ud83d\ude00"]}}]}
        body = self.body(session_id, someNewField=unknown, start_time_unix_nano="not a number",
                         trace_id="also unknown")
        body["anotherOne"] = unknown
        assert not self.send(stage, body).response().HasField("partial_success")
        assert delivered(stage, session_id) == 1

    @pytest.mark.parametrize("over", [
        {"kind": "SPAN_KIND_CLIENT"}, {"traceId": "q83vASNFZ4mrze8BI0VniQ=="},
        {"attributes": {"key": "value"}}, {"name": 7}, {"startTimeUnixNano": "yesterday"}])
    def test_values_of_another_type_are_400(self, stage: Stage, session_id: str,
                                            over: dict[str, Any]) -> None:
        reply = self.send(stage, self.body(session_id, **over))
        assert reply.status == 400
        assert reply.error().message
        assert delivered(stage, session_id) == 0

    def test_nesting_has_a_limit(self, stage: Stage, session_id: str) -> None:
        deep = '{"arrayValue":{"values":[' * 5000 + "{}" + "]}}" * 5000
        text = json.dumps(self.body(session_id)).replace('{"intValue": 7}', deep)
        assert post(stage.gateway.http_port, text.encode(), JSON).status in (200, 400)
        self.send(stage, self.body(session_id)).response()
