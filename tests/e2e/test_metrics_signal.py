"""OTLP metrics make no events: answered with success, counted, forgotten; other rules hold."""

from __future__ import annotations

import logging
import pathlib
import time
from typing import Any, Iterator

import grpc
import pytest
import requests
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

import captured
from gateway import Gateway
from kafka_cluster import free_ports
from otlp import JSON, PROTOBUF, chat_span, post, request
from otlp_logs import EXPORT_METRICS
from stage import Stage

BODY = captured.bodies("metrics")[0]


def measure(exporter: Any) -> bool:
    provider = MeterProvider([PeriodicExportingMetricReader(exporter, export_interval_millis=60_000)])
    provider.get_meter("e2e").create_counter("tokens").add(7, {"model": "gpt-4o"})
    sent = provider.force_flush()
    provider.shutdown()
    return sent


def exporters(gateway: Gateway) -> Iterator[Any]:
    yield GrpcExporter(gateway.grpc_target, insecure=True)
    yield HttpExporter(f"{gateway.http_url}/v1/metrics")


def test_an_sdk_that_exports_metrics_logs_no_error(stage: Stage, caplog: pytest.LogCaptureFixture,
                                                   ) -> None:
    before = stage.gateway.metrics()
    with caplog.at_level(logging.WARNING):
        for exporter in exporters(stage.gateway):
            assert measure(exporter)
    assert not [r for r in caplog.records if r.name.startswith("opentelemetry")]
    after = stage.gateway.metrics()
    for transport in ("grpc", "http"):
        labels = {"transport": transport, "signal": "metrics"}
        count = lambda scrape: scrape.total("spangate_requests_total", **labels)  # noqa: B023, E731
        assert count(after) > count(before)
    name = "spangate_request_bytes_total"
    assert after.total(name, signal="metrics") > before.total(name, signal="metrics")


def test_captured_metrics_are_answered_with_the_empty_message_and_make_no_event(stage: Stage) -> None:
    before = len(stage.reader.refresh())
    ignored = stage.gateway.metrics().total("spangate_requests_ignored_total", signal="metrics")
    bodies = captured.bodies("metrics")
    for body in bodies:
        assert body.send(stage.gateway.http_port, stage.grpc) == 0
    metrics = stage.gateway.metrics()
    assert metrics.total("spangate_requests_ignored_total", signal="metrics") == ignored + len(bodies)
    assert metrics.total("spangate_items_received_total", signal="metrics") == 0
    assert len(stage.reader.refresh()) == before


def test_the_answer_has_the_encoding_of_the_request(stage: Stage) -> None:
    as_json = post(stage.gateway.http_port, b"{}", JSON, path="/v1/metrics")
    assert (as_json.status, as_json.content_type, as_json.body) == (200, JSON, b"{}")
    as_protobuf = post(stage.gateway.http_port, b"", PROTOBUF, path="/api/public/otel/v1/metrics")
    assert (as_protobuf.status, as_protobuf.content_type, as_protobuf.body) == (200, PROTOBUF, b"")


def test_what_is_wrong_with_the_request_itself_is_told(stage: Stage) -> None:
    port = stage.gateway.http_port
    assert post(port, b"{}", "text/plain", path="/v1/metrics").status == 415
    assert post(port, b"{}", JSON, coding="br", path="/v1/metrics").status == 415
    damaged = post(port, b"no gzip", JSON, path="/v1/metrics", headers={"Content-Encoding": "gzip"})
    assert damaged.status == 400
    assert post(port, b"", method="GET", path="/v1/metrics").status == 405


def test_metrics_are_no_error_while_kafka_is_away(tmp_path: pathlib.Path) -> None:
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    settings = {"exporters": {"kafka": {"brokers": [nowhere]}}, "ack_timeout": "1s",
                "spool": {"directory": ""}}  # with one, nothing would be refused
    with Gateway(tmp_path, settings) as gateway:
        gateway.start()
        span = request([chat_span("s")]).SerializeToString()
        deadline = time.monotonic() + 20
        while not _is_refusing(gateway, span):
            assert time.monotonic() < deadline, gateway.log()
            time.sleep(0.2)
        for exporter in exporters(gateway):
            assert measure(exporter)


def _is_refusing(gateway: Gateway, body: bytes) -> bool:
    try:
        return post(gateway.http_port, body).status == 503
    except OSError:
        return False


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that wants tokens."""
    directory = tmp_path_factory.mktemp("tokens")
    (directory / "tokens").write_text("sk-lf-secret acme\npk-lf-public:sk-lf-other globex\n")
    with Gateway(directory, {
            "receivers": {"otlp": {"auth": {"bearer_tokens_file": str(directory / "tokens")}}},
            "exporters": {"jsonl": {"directory": str(directory / "data")}}}) as gateway:
        yield gateway.start().wait_until_ready()


class TestTokens:
    """One gateway with tokens, for all signals and every way a client shows one."""

    KNOWN = [
        ("Authorization", "Bearer sk-lf-secret"),
        ("Authorization", requests.auth._basic_auth_str("pk-lf-any", "sk-lf-secret")),
        ("Authorization", requests.auth._basic_auth_str("pk-lf-public", "sk-lf-other")),
        ("x-api-key", "sk-lf-secret"),
    ]
    STRANGERS = [
        ("Authorization", "Bearer sk-lf-wrong"),
        ("Authorization", requests.auth._basic_auth_str("sk-lf-secret", "wrong")),
        ("Authorization", "Basic sk-lf-secret"),
        ("x-api-key", "wrong"),
        ("x-other", "sk-lf-secret"),
    ]
    PATHS = ["/v1/traces", "/v1/logs", "/v1/metrics", "/api/public/otel/v1/traces", "/otel/v1/traces"]

    @pytest.mark.parametrize("name,value", KNOWN)
    def test_a_known_client_comes_in(self, guarded: Gateway, name: str, value: str) -> None:
        for path in self.PATHS:
            assert post(guarded.http_port, b"", path=path, headers={name: value}).status == 200
        for method in captured.GRPC_METHODS.values():
            self._call(guarded, method, name, value)

    @pytest.mark.parametrize("name,value", STRANGERS)
    def test_a_stranger_hears_what_is_missing(self, guarded: Gateway, name: str, value: str) -> None:
        for path in self.PATHS:
            reply = post(guarded.http_port, b"", path=path, headers={name: value})
            assert reply.status == 401 and reply.error().message
            assert "sk-lf-secret" not in reply.error().message
            challenges = reply.headers.get_all("WWW-Authenticate")
            assert challenges[0] == "Bearer" and challenges[1].startswith("Basic ")
        for method in captured.GRPC_METHODS.values():
            with pytest.raises(grpc.RpcError) as failure:
                self._call(guarded, method, name, value)
            assert failure.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert failure.value.details()

    @staticmethod
    def _call(gateway: Gateway, method: str, name: str, value: str) -> None:
        with grpc.insecure_channel(gateway.grpc_target) as channel:
            channel.unary_unary(method)(b"", timeout=20, metadata=[(name.lower(), value)])


def test_without_tokens_credentials_are_not_looked_at(stage: Stage, session_id: str) -> None:
    body = request([chat_span(session_id)]).SerializeToString()
    for value in ("Basic !", "Digest x", "Bearer x"):
        reply = post(stage.gateway.http_port, body, headers={"Authorization": value},
                     path="/api/public/otel/v1/traces")
        assert reply.status == 200
    stage.grpc.export(BODY.bytes if BODY.is_grpc else b"", method=EXPORT_METRICS,
                      metadata=[("authorization", "Basic !")], compress=True)
