"""The captured bodies of tests/captures, and sending them as their clients did."""

from __future__ import annotations

import dataclasses
import gzip
import json
import pathlib
from typing import Any

from otlp import EXPORT, JSON, GrpcClient, HttpReply, Request, post

CAPTURES = pathlib.Path(__file__).resolve().parents[1] / "captures"
INDEX = json.loads((CAPTURES / "index.json").read_text())
GRPC_METHODS = {
    "traces": EXPORT,
    "logs": "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    "metrics": "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
SECRETS: dict[str, str] = INDEX["secrets"]
# http.client writes these itself.
OWN_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "content-type",
               "accept-encoding"}


@dataclasses.dataclass(frozen=True)
class CapturedBody:
    capture: str
    file: str
    signal: str
    spans: int
    secrets: tuple[str, ...]
    gzip: bool
    sent: dict[str, Any]  # the headers file

    @property
    def bytes(self) -> bytes:
        return (CAPTURES / self.capture / self.file).read_bytes()

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.sent["headers"]}

    @property
    def is_grpc(self) -> bool:
        return self.sent["protocol"] == "grpc"

    def trace_ids(self) -> set[str]:
        body = gzip.decompress(self.bytes) if self.file.endswith(".gz") else self.bytes
        if ".json" in self.file:
            return {
                span["traceId"].lower()
                for group in json.loads(body)["resourceSpans"]
                for scope in group["scopeSpans"] for span in scope["spans"]
            }
        return {
            span.trace_id.hex()
            for group in Request.FromString(body).resource_spans
            for scope in group.scope_spans for span in scope.spans
        }

    def send(self, http_port: int, grpc_client: GrpcClient) -> int:
        """Sends it as captured; returns the number of rejected spans. Anything but OK raises."""
        if self.is_grpc:
            method = GRPC_METHODS[self.signal]
            answer = grpc_client.export(self.bytes, compress=self.gzip, method=method, metadata=[
                (name, value) for name, value in self.headers.items()
                if name not in ("user-agent", "accept-encoding")])
            return answer.partial_success.rejected_spans
        reply = self._post(http_port)
        return reply.response().partial_success.rejected_spans

    def _post(self, http_port: int) -> HttpReply:
        headers = {name: value for name, value in self.headers.items() if name not in OWN_HEADERS}
        chunked = self.headers.get("transfer-encoding") == "chunked"
        return post(http_port, self.bytes, self.headers.get("content-type", JSON),
                    path=self.sent["path"], headers=headers, chunks=5 if chunked else 0)


def bodies(signal: str = "traces") -> list[CapturedBody]:
    return [
        CapturedBody(
            capture=name, file=entry["file"], signal=signal, spans=entry.get("spans", 0),
            secrets=tuple(entry.get("secrets", ())), gzip=entry["gzip"],
            sent=json.loads((CAPTURES / name / entry["headers"]).read_text()),
        )
        for name, entries in INDEX["captures"].items()
        for entry in entries if entry["signal"] == signal
    ]
