"""The status table over OTLP/gRPC."""

from __future__ import annotations

import os
from typing import Callable

import grpc
import pytest

from kafka_cluster import KafkaBroker
from otlp import chat_span, request, retry_info
from stage import Stage

MIB = 1024 * 1024
StatusCode = grpc.StatusCode


@pytest.mark.parametrize("compress", [False, True])
def test_success_is_an_empty_message(stage: Stage, session_id: str, compress: bool) -> None:
    body = request([chat_span(session_id, content="hello " * 500)]).SerializeToString()
    assert stage.grpc.export(body, compress=compress).ByteSize() == 0
    assert len(stage.reader.of_session(session_id)["operational"]) == 1


def test_an_empty_request_succeeds(stage: Stage) -> None:
    assert stage.grpc.export(b"").ByteSize() == 0
    assert stage.grpc.export(request([]).SerializeToString()).ByteSize() == 0


def test_spans_with_bad_ids_are_rejected_and_counted_exactly(stage: Stage, session_id: str) -> None:
    bad = [{"trace_id": os.urandom(17)}, {"span_id": b""}, {"span_id": os.urandom(7)}]
    spans = [chat_span(session_id, **ids) for ids in bad] + [chat_span(session_id) for _ in range(7)]
    partial = stage.grpc.export(request(spans).SerializeToString()).partial_success
    assert partial.rejected_spans == 3
    assert partial.error_message
    assert len(stage.reader.of_session(session_id)["operational"]) == 7


@pytest.mark.parametrize("body", [b"\xff\xff\xff\xff", b"not otlp at all", b"\x0a\x7f\x0a"])
def test_what_cannot_be_decoded_is_invalid_argument(stage: Stage, body: bytes) -> None:
    failure = stage.grpc.failure(body)
    assert failure.code() is StatusCode.INVALID_ARGUMENT
    assert failure.details()
    assert retry_info(failure) is None


def test_an_unknown_method_is_unimplemented(stage: Stage) -> None:
    for method in ("/opentelemetry.proto.collector.trace.v1.TraceService/Import", "/some.Service/Do"):
        assert stage.grpc.failure(b"", method=method).code() is StatusCode.UNIMPLEMENTED


@pytest.fixture(scope="module")
def small_stage(kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Stage:
    return make_stage(kafka, {"receivers": {"otlp": {"limits": {"request_bytes_max": "1MiB"}}}})


def test_a_large_message_is_resource_exhausted_and_not_to_be_repeated(small_stage: Stage) -> None:
    failure = small_stage.grpc.failure(bytes(MIB + 1))
    assert failure.code() is StatusCode.RESOURCE_EXHAUSTED
    assert retry_info(failure) is None


def test_a_bomb_is_resource_exhausted_and_costs_no_memory(small_stage: Stage) -> None:
    before = small_stage.gateway.resident_bytes()
    failure = small_stage.grpc.failure(bytes(256 * MIB), compress=True)
    assert failure.code() is StatusCode.RESOURCE_EXHAUSTED
    assert retry_info(failure) is None
    assert small_stage.gateway.resident_bytes() - before < 32 * MIB


def test_the_connection_outlives_a_refusal(small_stage: Stage, session_id: str) -> None:
    small_stage.grpc.failure(bytes(MIB + 1))
    small_stage.grpc.export(request([chat_span(session_id)]).SerializeToString())
    assert len(small_stage.reader.of_session(session_id)["operational"]) == 1
