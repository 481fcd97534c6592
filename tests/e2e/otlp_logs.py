"""Builds OTLP log requests, as otlp.py builds those of traces."""

from __future__ import annotations

import json
import time
from typing import Any, Iterable

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.logs.v1 import logs_pb2

from otlp import any_value, key_values

EXPORT_LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
EXPORT_METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"

LogsRequest = logs_service_pb2.ExportLogsServiceRequest
LogsResponse = logs_service_pb2.ExportLogsServiceResponse


def tool_log(session_id: str | None, *, body: Any = None, **over: Any) -> logs_pb2.LogRecord:
    """A tool call's end as Claude Code tells it: no trace, everything in attributes."""
    attributes = {"tool_name": "Bash", "tool_use_id": "toolu_1", "duration_ms": "148", "success": "true"}
    if session_id is not None:
        attributes["session.id"] = session_id
    return log("claude_code.tool_result", attributes | over.pop("attributes", {}), body=body, **over)


def log(event_name: str, attributes: dict[str, Any], *, body: Any = None, **fields: Any,
        ) -> logs_pb2.LogRecord:
    fields.setdefault("time_unix_nano", time.time_ns())
    record = logs_pb2.LogRecord(
        event_name=event_name, attributes=key_values(attributes), severity_number=9,
        severity_text="INFO", **fields)
    if body is not None:
        record.body.CopyFrom(any_value(body))
    return record


def logs_request(records: Iterable[logs_pb2.LogRecord], scope: str = "com.anthropic.claude_code.events",
                 resource: dict[str, Any] | None = None) -> LogsRequest:
    made = LogsRequest()
    group = made.resource_logs.add()
    group.resource.attributes.extend(key_values({"service.name": "claude-code"} | (resource or {})))
    logs = group.scope_logs.add()
    logs.scope.name = scope
    logs.log_records.extend(records)
    return made


def logs_to_json(made: LogsRequest) -> bytes:
    """OTLP/JSON, of records without ids (protobuf's own mapping writes those in base64)."""
    return json.dumps(json_format.MessageToDict(made, use_integers_for_enums=True)).encode()


def too_many_attributes() -> dict[str, int]:
    """More than receivers.otlp.limits.attributes_per_span_max allows: the record is rejected."""
    return {f"attribute.{number}": number for number in range(1_100)}
