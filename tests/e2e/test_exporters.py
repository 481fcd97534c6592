"""The OpenTelemetry Python SDK's own exporters, over both protocols, into the three topics."""

from __future__ import annotations

import json
from typing import Iterator

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import Tracer

import contract
from stage import Stage

PERSON = "jane.roe@example.org"


def exporter(stage: Stage, kind: str) -> SpanExporter:
    protocol, coding = kind.split("-")
    if protocol == "grpc":
        compression = grpc.Compression.Gzip if coding == "gzip" else grpc.Compression.NoCompression
        return GrpcExporter(stage.gateway.grpc_target, insecure=True, compression=compression)
    compression = Compression.Gzip if coding == "gzip" else Compression.NoCompression
    return HttpExporter(f"{stage.gateway.http_url}/v1/traces", compression=compression)


@pytest.fixture(params=["grpc-none", "grpc-gzip", "http-none", "http-gzip"])
def provider(stage: Stage, request: pytest.FixtureRequest) -> Iterator[TracerProvider]:
    provider = TracerProvider(resource=Resource.create({"service.name": "refund-agent"}))
    provider.add_span_processor(BatchSpanProcessor(exporter(stage, request.param)))
    yield provider
    provider.shutdown()


def tell_a_session(tracer: Tracer, session_id: str) -> None:
    """An agent that asks a model, which calls a tool: three spans, two of them keyless."""
    messages = json.dumps([{"role": "user", "parts": [{"type": "text", "content": f"refund {PERSON}"}]}])
    with tracer.start_as_current_span("invoke_agent planner", attributes={
            "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner",
            "gen_ai.conversation.id": session_id}):
        with tracer.start_as_current_span("chat gpt-4o", attributes={
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o", "gen_ai.response.model": "gpt-4o-2026-01-01",
                "gen_ai.usage.input_tokens": 120, "gen_ai.usage.output_tokens": 45,
                "gen_ai.response.finish_reasons": ["tool_calls"],
                "gen_ai.input.messages": messages}):
            pass
        with tracer.start_as_current_span("execute_tool lookup_customer", attributes={
                "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "lookup_customer",
                "gen_ai.tool.call.id": "call_1",
                "gen_ai.tool.call.arguments": json.dumps({"email": PERSON})}):
            pass


def test_a_session_arrives_in_three_topics(stage: Stage, provider: TracerProvider,
                                           session_id: str) -> None:
    tell_a_session(provider.get_tracer("e2e"), session_id)
    assert provider.force_flush()
    found = stage.reader.of_session(session_id)

    types = sorted(record.event["event_type"] for record in found["operational"])
    assert types == ["inference", "session_end", "session_start", "tool_request", "tool_response"]
    assert len(found["detail"]) == 3  # one a span
    # The model call and the tool call hold content.
    assert {r.event["event_type"] for r in found["evidence"]} >= {"inference", "tool_response"}

    everything = found["operational"] + found["detail"] + found["evidence"]
    assert len({record.partition for record in everything}) == 1
    fields = contract.operational_fields()
    for record in everything:
        contract.check_record(record, fields)
        assert record.event["service_name"] == "refund-agent"
    contract.check_classes_agree(everything)


def test_facts_stand_on_operational_and_content_does_not(stage: Stage, provider: TracerProvider,
                                                         session_id: str) -> None:
    tell_a_session(provider.get_tracer("e2e"), session_id)
    assert provider.force_flush()
    found = stage.reader.of_session(session_id)

    events = {record.event["event_type"]: record.event for record in found["operational"]}
    inference = events["inference"]
    assert inference["provider"] == "openai"
    assert inference["model"] == "gpt-4o-2026-01-01" and inference["model_requested"] == "gpt-4o"
    assert (inference["tokens_prompt"], inference["tokens_completion"]) == (120, 45)
    assert inference["counted"] is True
    answer = events["tool_response"]
    assert answer["tool_name"] == "lookup_customer" and answer["tool_call_id"] == "call_1"
    assert answer["outcome"] == "ok" and answer["duration_ms"] >= 0
    assert answer["args_digest"] == events["tool_request"]["args_digest"]
    assert events["tool_request"]["primary_event_id"] == answer["event_id"]

    for record in found["operational"] + found["detail"]:
        assert PERSON.encode() not in record.raw
    for event_type in ("inference", "tool_response"):
        records = [r for r in found["evidence"] if r.event["event_type"] == event_type]
        payloads = contract.evidence_payloads(records).values()
        assert PERSON.encode() in b"".join(payloads)


def test_keyless_spans_take_the_session_of_their_ancestor(stage: Stage, provider: TracerProvider,
                                                         session_id: str) -> None:
    tell_a_session(provider.get_tracer("e2e"), session_id)
    assert provider.force_flush()
    trace_ids = {r.event["trace_id"] for r in stage.reader.of_session(session_id)["operational"]}
    assert len(trace_ids) == 1
    strays = [r for r in stage.reader.records
              if r.event.get("trace_id") in trace_ids and r.key != session_id]
    assert not strays
