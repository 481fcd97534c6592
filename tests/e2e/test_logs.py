"""Log records as event carriers: the same guarantees as spans, over both protocols."""

from __future__ import annotations

import json
import time
from typing import Any, Callable, Iterator

import grpc
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource

import captured
import contract
from kafka_cluster import KafkaBroker
from otlp import JSON, PROTOBUF, chat_span, post, request
from otlp_logs import (EXPORT_LOGS, LogsResponse, logs_request, logs_to_json,
                       too_many_attributes, tool_log)
from stage import Stage
from topic_reader import Record

PERSON = "jane.roe@example.org"
CARD = "4111111111111111"


def exporter(stage: Stage, kind: str) -> Any:
    protocol, coding = kind.split("-")
    if protocol == "grpc":
        compression = grpc.Compression.Gzip if coding == "gzip" else grpc.Compression.NoCompression
        return GrpcExporter(stage.gateway.grpc_target, insecure=True, compression=compression)
    compression = Compression.Gzip if coding == "gzip" else Compression.NoCompression
    return HttpExporter(f"{stage.gateway.http_url}/v1/logs", compression=compression)


@pytest.fixture(params=["grpc-none", "grpc-gzip", "http-none", "http-gzip"])
def provider(stage: Stage, request: pytest.FixtureRequest) -> Iterator[LoggerProvider]:
    provider = LoggerProvider(resource=Resource.create({"service.name": "refund-agent"}))
    provider.add_log_record_processor(BatchLogRecordProcessor(exporter(stage, request.param)))
    yield provider
    provider.shutdown()


def emit(provider: LoggerProvider, event_name: str, attributes: dict[str, Any], body: Any = None) -> None:
    provider.get_logger("e2e").emit(LogRecord(
        timestamp=time.time_ns(), event_name=event_name, body=body, attributes=attributes,
        severity_number=SeverityNumber.INFO, severity_text="INFO"))


def tell_a_session(provider: LoggerProvider, session_id: str) -> None:
    key = {"gen_ai.conversation.id": session_id}
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"refund {PERSON}"}]}])
    emit(provider, "gen_ai.client.inference.operation.details", key | {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2026-01-01",
        "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 45,
        "gen_ai.input.messages": messages})
    emit(provider, "gen_ai.evaluation.result", key | {
        "gen_ai.evaluation.name": "relevance", "gen_ai.evaluation.score.value": 0.9},
        body={"explanation": f"asked by {PERSON}, card {CARD}"})


def test_a_session_told_in_logs_arrives_in_three_topics(stage: Stage, provider: LoggerProvider,
                                                        session_id: str) -> None:
    tell_a_session(provider, session_id)
    assert provider.force_flush()
    found = stage.reader.of_session(session_id)
    assert sorted(r.event["event_type"] for r in found["operational"]) == ["evaluation", "inference"]
    assert len(found["detail"]) == 2
    everything = found["operational"] + found["detail"] + found["evidence"]
    fields = contract.operational_fields()
    for record in everything:
        contract.check_record(record, fields)
        assert record.event["source"] == "log"
        assert record.event["service_name"] == "refund-agent"
    contract.check_classes_agree(everything)
    assert len({record.partition for record in everything}) == 1


def test_facts_of_a_log_stand_on_operational_and_its_body_does_not(
        stage: Stage, provider: LoggerProvider, session_id: str) -> None:
    tell_a_session(provider, session_id)
    assert provider.force_flush()
    found = stage.reader.of_session(session_id)
    events = {record.event["event_type"]: record.event for record in found["operational"]}
    inference = events["inference"]
    assert inference["model"] == "gpt-4o-2026-01-01" and inference["model_requested"] == "gpt-4o"
    assert (inference["tokens_prompt"], inference["tokens_completion"]) == (120, 45)
    assert inference["counted"] is True
    assert events["evaluation"]["eval_name"] == "relevance"
    details = {record.event["event_type"]: record.event for record in found["detail"]}
    assert details["evaluation"]["event_name"] == "gen_ai.evaluation.result"
    assert details["evaluation"]["severity"] == "INFO"
    assert "body" in details["evaluation"]
    for record in found["operational"] + found["detail"]:
        assert PERSON.encode() not in record.raw and CARD.encode() not in record.raw
    for event_type in ("inference", "evaluation"):
        records = [r for r in found["evidence"] if r.event["event_type"] == event_type]
        assert PERSON.encode() in b"".join(contract.evidence_payloads(records).values())


@pytest.mark.parametrize("encoding", [PROTOBUF, JSON])
@pytest.mark.parametrize("path", ["/v1/logs", "/api/public/otel/v1/logs"])
def test_a_record_without_a_trace_is_an_event(stage: Stage, session_id: str, encoding: str,
                                              path: str) -> None:
    made = logs_request([tool_log(session_id)])
    body = logs_to_json(made) if encoding == JSON else made.SerializeToString()
    assert post(stage.gateway.http_port, body, encoding, path=path).status == 200
    operational = stage.reader.of_session(session_id)["operational"]
    assert [r.event["event_type"] for r in operational] == ["tool_response"]
    event = operational[0].event
    assert event["tool_name"] == "Bash" and event["tool_call_id"] == "toolu_1"
    assert event["outcome"] == "ok" and "trace_id" not in event


def test_the_time_observed_stands_in_for_one_that_was_not_sent(stage: Stage, session_id: str) -> None:
    record = tool_log(session_id, time_unix_nano=0, observed_time_unix_nano=1_790_000_000_000_000_000)
    post(stage.gateway.http_port, logs_request([record]).SerializeToString(), path="/v1/logs")
    event = stage.reader.of_session(session_id)["operational"][0].event
    assert event["time_source"] == "observed"
    assert event["timestamp"].startswith("2026-09-21T")


def test_ids_of_the_wrong_length_do_not_cost_the_record(stage: Stage, session_id: str) -> None:
    made = logs_request([tool_log(session_id, trace_id=b"123", span_id=b"1")])
    answer = stage.grpc.export(made.SerializeToString(), method=EXPORT_LOGS)
    assert answer.partial_success.rejected_spans == 0
    event = stage.reader.of_session(session_id)["operational"][0].event
    assert "trace_id" not in event and "span_id" not in event


def test_the_same_request_sent_again_makes_the_same_ids(stage: Stage, session_id: str) -> None:
    twin = tool_log(session_id, time_unix_nano=1_790_000_000_000_000_000)
    body = logs_request([twin, twin]).SerializeToString()
    for _ in range(2):
        assert post(stage.gateway.http_port, body, path="/v1/logs").status == 200
    operational = stage.reader.of_session(session_id)["operational"]
    ids = [r.event["event_id"] for r in operational]
    assert len(set(ids)) == 2, "identical records of one request are two events"
    assert all(ids.count(event_id) == len(ids) // 2 for event_id in ids)


def test_rejected_records_are_told_exactly(stage: Stage, session_id: str) -> None:
    excessive = tool_log(session_id, attributes=too_many_attributes())
    made = logs_request([tool_log(session_id), excessive, excessive])
    over_http = post(stage.gateway.http_port, made.SerializeToString(), path="/v1/logs")
    assert over_http.status == 200
    over_grpc = stage.grpc.export(made.SerializeToString(), method=EXPORT_LOGS).SerializeToString()
    for answer in (over_http.body, over_grpc):
        partial = LogsResponse.FromString(answer).partial_success
        assert partial.rejected_log_records == 2 and partial.error_message


def test_rejected_records_are_told_in_json_under_their_own_name(stage: Stage, session_id: str) -> None:
    excessive = tool_log(session_id, attributes=too_many_attributes())
    made = logs_request([tool_log(session_id), excessive])
    reply = post(stage.gateway.http_port, logs_to_json(made), JSON, path="/v1/logs")
    assert reply.status == 200 and reply.content_type == JSON
    assert int(json.loads(reply.body)["partialSuccess"]["rejectedLogRecords"]) == 1


def test_a_damaged_body_is_refused_for_good(stage: Stage) -> None:
    reply = post(stage.gateway.http_port, b"\x0a\xff\xff", path="/v1/logs")
    assert reply.status == 400 and reply.error().message
    assert post(stage.gateway.http_port, b"{", JSON, path="/v1/logs").status == 400
    failure = stage.grpc.failure(b"\x0a\xff\xff", method=EXPORT_LOGS)
    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_logs_and_spans_of_one_session_share_its_numbers(stage: Stage, session_id: str) -> None:
    post(stage.gateway.http_port, request([chat_span(session_id)]).SerializeToString()).response()
    made = logs_request([tool_log(session_id)])
    assert post(stage.gateway.http_port, made.SerializeToString(), path="/v1/logs").status == 200
    operational = stage.reader.of_session(session_id)["operational"]
    assert {r.event["source"] for r in operational} == {"span", "log"}
    assert len({r.partition for r in operational}) == 1
    assert contract.unexplained_holes(operational) == []


class Sent:
    """All captured log bodies on a gateway of their own, and every record they made."""

    def __init__(self, stage: Stage) -> None:
        self.bodies = captured.bodies("logs")
        self.rejected = {f"{body.capture}/{body.file}": body.send(stage.gateway.http_port, stage.grpc)
                         for body in self.bodies}
        self.records: list[Record] = list(stage.reader.refresh())
        self.metrics = stage.gateway.metrics()


@pytest.fixture(scope="module")
def sent(kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Sent:
    return Sent(make_stage(kafka))


def test_no_captured_record_is_rejected_and_the_ledger_balances(sent: Sent) -> None:
    assert not {name: count for name, count in sent.rejected.items() if count}
    received = sent.metrics.total("spangate_items_received_total", signal="logs")
    assert received > 50
    assert sent.metrics.total("spangate_items_accepted_total") == received
    assert sent.metrics.total("spangate_items_received_total", signal="traces") == 0
    assert sent.metrics.faults() == []


def test_captured_records_keep_the_contract(sent: Sent) -> None:
    fields = contract.operational_fields()
    for record in sent.records:
        contract.check_record(record, fields)
    contract.check_classes_agree(sent.records)
    contract.check_partitions(sent.records)
    assert contract.unexplained_holes(sent.records) == []


def test_made_up_persons_of_captured_logs_stand_in_evidence_alone(sent: Sent) -> None:
    evidence = b"".join(contract.evidence_payloads(
        r for r in sent.records if r.event_class == "evidence").values())
    for name, secret in captured.SECRETS.items():
        outside = [r for r in sent.records
                   if r.event_class != "evidence" and secret.encode() in r.raw]
        assert not outside, f"{name} in {outside[0].event_class}"
    for name in {name for body in sent.bodies for name in body.secrets}:
        assert captured.SECRETS[name].encode() in evidence, name


def test_codex_tells_its_session_in_logs(sent: Sent) -> None:
    session = "01a1fd63-7df4-7d10-af89-a17da4c9c170"
    types = {r.event["event_type"] for r in sent.records
             if r.key == session and r.event_class == "operational"}
    assert {"session_start", "inference", "tool_response"} <= types
