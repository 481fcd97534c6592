"""Builds OTLP trace requests and sends them with clients that are not ours."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import os
import time
import zlib
from typing import Any, Iterable

import grpc
import zstandard
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
GRPC_TIMEOUT_S = 20

Request = trace_service_pb2.ExportTraceServiceRequest
Response = trace_service_pb2.ExportTraceServiceResponse

CODINGS = {
    "identity": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": lambda body: zstandard.ZstdCompressor().compress(body),
}


def any_value(value: Any) -> common_pb2.AnyValue:
    if isinstance(value, bool):
        return common_pb2.AnyValue(bool_value=value)
    if isinstance(value, int):
        return common_pb2.AnyValue(int_value=value)
    if isinstance(value, float):
        return common_pb2.AnyValue(double_value=value)
    if isinstance(value, bytes):
        return common_pb2.AnyValue(bytes_value=value)
    if isinstance(value, dict):
        return common_pb2.AnyValue(kvlist_value=common_pb2.KeyValueList(values=key_values(value)))
    if isinstance(value, (list, tuple)):
        items = [any_value(item) for item in value]
        return common_pb2.AnyValue(array_value=common_pb2.ArrayValue(values=items))
    return common_pb2.AnyValue(string_value=value)


def key_values(attributes: dict[str, Any]) -> list[common_pb2.KeyValue]:
    return [common_pb2.KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()]


def chat_span(session_id: str | None, *, content: str = "hello", **over: Any) -> trace_pb2.Span:
    """A model call as the OTel GenAI conventions tell it."""
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.input.messages": json.dumps(
            [{"role": "user", "parts": [{"type": "text", "content": content}]}]),
    }
    if session_id is not None:
        attributes["gen_ai.conversation.id"] = session_id
    name = over.pop("name", "chat gpt-4o")
    return span(name, attributes | over.pop("attributes", {}), **over)


def span(name: str, attributes: dict[str, Any], *, trace_id: bytes | None = None,
         span_id: bytes | None = None, **fields: Any) -> trace_pb2.Span:
    now = time.time_ns()
    fields.setdefault("start_time_unix_nano", now - 5_000_000)
    fields.setdefault("end_time_unix_nano", now)
    return trace_pb2.Span(
        name=name, trace_id=os.urandom(16) if trace_id is None else trace_id,
        span_id=os.urandom(8) if span_id is None else span_id,
        attributes=key_values(attributes), **fields,
    )


def request(spans: Iterable[trace_pb2.Span], resource: dict[str, Any] | None = None) -> Request:
    made = Request()
    group = made.resource_spans.add()
    group.resource.attributes.extend(key_values({"service.name": "e2e"} | (resource or {})))
    scope = group.scope_spans.add()
    scope.scope.name = "e2e"
    scope.spans.extend(spans)
    return made


def to_json(made: Request) -> bytes:
    """OTLP/JSON: ids in hex and enums as numbers, unlike protobuf's own mapping."""
    tree = json_format.MessageToDict(made, use_integers_for_enums=True)
    return json.dumps(_hex_ids(tree)).encode()


class HttpReply:
    def __init__(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.content_type = (headers.get("Content-Type") or "").split(";")[0].strip()

    def response(self) -> Response:
        assert self.status == 200, (self.status, self.body[:300])
        return _decode(self.content_type, self.body, Response())

    def error(self) -> status_pb2.Status:
        assert self.status != 200
        return _decode(self.content_type, self.body, status_pb2.Status())


def post(port: int, body: bytes, content_type: str = PROTOBUF, *, coding: str = "identity",
         path: str = "/v1/traces", method: str = "POST", chunks: int = 0,
         headers: dict[str, str] | None = None, connection: http.client.HTTPConnection | None = None,
         ) -> HttpReply:
    """`body` is as sent when `coding` is one this module does not know; else it is coded here."""
    own = connection is None
    connection = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    sent = {"Content-Type": content_type} | (headers or {})
    if coding != "identity":
        sent["Content-Encoding"] = coding
        body = CODINGS.get(coding, lambda raw: raw)(body)
    if chunks:
        size = max(1, -(-len(body) // chunks))
        pieces = [body[at:at + size] for at in range(0, len(body), size)]
        connection.request(method, path, iter(pieces), sent, encode_chunked=True)
    else:
        connection.request(method, path, body, sent)
    reply = connection.getresponse()
    result = HttpReply(reply.status, reply.headers, reply.read())
    if own:
        connection.close()
    return result


class GrpcClient:
    """Sends message bytes as they are: grpcio frames them, and codes them when asked."""

    def __init__(self, target: str) -> None:
        self._channel = grpc.insecure_channel(target, options=[
            ("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0)])

    def export(self, body: bytes, *, compress: bool = False, method: str = EXPORT,
               metadata: Iterable[tuple[str, str]] = (), timeout_s: float = GRPC_TIMEOUT_S) -> Response:
        call = self._channel.unary_unary(method)
        coding = grpc.Compression.Gzip if compress else grpc.Compression.NoCompression
        answer = call(body, timeout=timeout_s, metadata=tuple(metadata), compression=coding)
        return Response.FromString(answer)

    def failure(self, body: bytes, **options: Any) -> grpc.RpcError:
        """The error of a call that must not succeed."""
        try:
            self.export(body, **options)
        except grpc.RpcError as failure:
            return failure
        raise AssertionError("the call succeeded")

    def close(self) -> None:
        self._channel.close()


def retry_info(failure: grpc.RpcError) -> error_details_pb2.RetryInfo | None:
    """The RetryInfo of a gRPC failure; None when it says not to repeat."""
    for key, value in failure.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(value).details:
            if detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
                info = error_details_pb2.RetryInfo()
                detail.Unpack(info)
                return info
    return None


def _decode(content_type: str, body: bytes, message: Any) -> Any:
    if content_type == JSON:
        return json_format.Parse(body, message)
    assert content_type == PROTOBUF, content_type
    message.ParseFromString(body)
    return message


def _hex_ids(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_hex_ids(item) for item in tree]
    if not isinstance(tree, dict):
        return tree
    ids = ("traceId", "spanId", "parentSpanId")
    return {
        key: base64.b64decode(value).hex() if key in ids else _hex_ids(value)
        for key, value in tree.items()
    }
