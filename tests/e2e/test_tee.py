"""exporters.otlp: a copy of every request for another OTLP endpoint, and no harm to any client."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import gzip
import http.server
import pathlib
import threading
import time
from typing import Callable, Iterator

import grpc
import pytest

import captured
from gateway import Gateway
from kafka_cluster import free_ports
from otlp import JSON, PROTOBUF, GrpcClient, chat_span, post, request, to_json
from otlp_logs import EXPORT_LOGS, EXPORT_METRICS, logs_request, tool_log

WAIT_S = 15
AT_ONCE_S = 2.0  # two busy cores


@dataclasses.dataclass(frozen=True)
class Received:
    where: str  # path or method
    content_type: str
    body: bytes


class Collector:
    """The old path: keeps what it is sent, over both protocols; may be told to refuse first."""

    def __init__(self, grpc_port: int = 0, http_port: int = 0) -> None:
        self.received: list[Received] = []
        self.refusals = 0  # still to be given
        self._server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[self._Calls(self)],
                                   options=[("grpc.max_receive_message_length", -1)])
        self.grpc_port = self._server.add_insecure_port(f"127.0.0.1:{grpc_port}")
        self._server.start()
        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", http_port), self._handler())
        self.http_port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.stop(0)
        self._http.shutdown()
        self._http.server_close()

    def takes(self, received: Received) -> bool:
        if self.refusals > 0:
            self.refusals -= 1
            return False
        self.received.append(received)
        return True

    def wait_for(self, count: int) -> list[Received]:
        deadline = time.monotonic() + WAIT_S
        while len(self.received) < count:
            assert time.monotonic() < deadline, f"{len(self.received)} of {count} came"
            time.sleep(0.02)
        return self.received

    class _Calls(grpc.GenericRpcHandler):
        def __init__(self, collector: Collector) -> None:
            self._collector = collector

        def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
            def answer(body: bytes, context: grpc.ServicerContext) -> bytes:
                if not self._collector.takes(Received(details.method, "application/grpc", body)):
                    context.abort(grpc.StatusCode.UNAVAILABLE, "later")
                return b""
            return grpc.unary_unary_rpc_method_handler(answer)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                taken = collector.takes(Received(self.path, self.headers["Content-Type"], body))
                self.send_response(200 if taken else 503)
                if not taken:
                    self.send_header("Retry-After", "1")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture()
def collector() -> Iterator[Collector]:
    running = Collector()
    yield running
    running.stop()


@pytest.fixture()
def make_gateway(tmp_path: pathlib.Path) -> Iterator[Callable[..., Gateway]]:
    gateways: list[Gateway] = []

    def make(endpoint: str, protocol: str, **more: object) -> Gateway:
        gateway = Gateway(tmp_path, {"exporters": {
            "jsonl": {"directory": str(tmp_path / "data")},
            "otlp": {"endpoint": endpoint, "protocol": protocol}}, **more})
        gateways.append(gateway)
        return gateway.start().wait_until_ready()

    yield make
    for gateway in gateways:
        with gateway:
            pass


def tee_total(gateway: Gateway, **labels: str) -> float:
    return gateway.metrics().total("spangate_tee_requests_total", **labels)


def test_http_forwards_every_signal_as_it_came(collector: Collector,
                                               make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(f"http://127.0.0.1:{collector.http_port}/old", "http")
    span, record = request([chat_span("s")]), logs_request([tool_log("s")])
    sent = [
        ("/v1/traces", PROTOBUF, span.SerializeToString()),
        ("/v1/traces", JSON, to_json(span)),
        ("/v1/logs", PROTOBUF, record.SerializeToString()),
        ("/v1/metrics", JSON, b'{"resourceMetrics":[]}'),
    ]
    for path, content_type, body in sent:
        assert post(gateway.http_port, body, content_type, path=path, coding="gzip").status == 200
    client = GrpcClient(gateway.grpc_target)
    client.export(span.SerializeToString(), compress=True)
    sent.append(("/v1/traces", PROTOBUF, span.SerializeToString()))
    client.close()
    expected = [Received("/old" + path, content_type, body) for path, content_type, body in sent]
    received = collector.wait_for(len(expected))
    assert sorted(received, key=repr) == sorted(expected, key=repr)
    assert tee_total(gateway, result="forwarded") == len(expected)
    assert gateway.metrics().faults() == []


def test_grpc_forwards_every_signal_as_it_came_but_json(collector: Collector,
                                                        make_gateway: Callable[..., Gateway]) -> None:
    gateway = make_gateway(f"127.0.0.1:{collector.grpc_port}", "grpc")
    span = request([chat_span("s")])
    metrics = next(body for body in captured.bodies("metrics") if body.file.endswith(".bin"))
    raw = gzip.decompress(metrics.bytes) if metrics.bytes[:2] == b"\x1f\x8b" else metrics.bytes
    sent = {
        captured.GRPC_METHODS["traces"]: ("/v1/traces", span.SerializeToString()),
        EXPORT_LOGS: ("/v1/logs", logs_request([tool_log("s")]).SerializeToString()),
        EXPORT_METRICS: ("/v1/metrics", raw),
    }
    for path, body in sent.values():
        assert post(gateway.http_port, body, path=path).status == 200
    assert post(gateway.http_port, to_json(span), JSON).status == 200
    received = {one.where: one.body for one in collector.wait_for(len(sent))}
    assert received == {method: body for method, (_, body) in sent.items()}
    assert gateway.metrics().total("spangate_tee_drops_total", reason="encoding") == 1
    assert tee_total(gateway, signal="traces", result="dropped") == 1


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_refusing_endpoint_gets_the_copy_later(collector: Collector, protocol: str,
                                                 make_gateway: Callable[..., Gateway]) -> None:
    collector.refusals = 2
    port = collector.grpc_port if protocol == "grpc" else collector.http_port
    gateway = make_gateway(f"127.0.0.1:{port}", protocol)
    started = time.monotonic()
    assert post(gateway.http_port, request([chat_span("s")]).SerializeToString()).status == 200
    assert time.monotonic() - started < AT_ONCE_S
    collector.wait_for(1)
    assert gateway.metrics().total("spangate_tee_retries_total") == 2


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_an_absent_endpoint_harms_no_client_and_a_late_one_is_served(
        protocol: str, make_gateway: Callable[..., Gateway]) -> None:
    grpc_port, http_port = free_ports(2)
    gateway = make_gateway(f"127.0.0.1:{grpc_port if protocol == 'grpc' else http_port}", protocol)
    body = request([chat_span("s")]).SerializeToString()
    for path in ("/v1/traces", "/v1/traces", "/v1/metrics"):
        started = time.monotonic()
        assert post(gateway.http_port, body if "traces" in path else b"", path=path).status == 200
        assert time.monotonic() - started < AT_ONCE_S
    assert gateway.readiness().status_code == 200
    late = Collector(grpc_port, http_port)
    try:
        late.wait_for(3)
        assert "exporters.otlp does not take copies" in gateway.log()
    finally:
        late.stop()


def test_a_stop_flushes_what_waits(make_gateway: Callable[..., Gateway]) -> None:
    grpc_port, http_port = free_ports(2)
    gateway = make_gateway(f"127.0.0.1:{http_port}", "http")
    assert post(gateway.http_port, request([chat_span("s")]).SerializeToString()).status == 200
    late = Collector(grpc_port, http_port)
    try:
        assert gateway.terminate() == 0
        assert len(late.received) == 1
    finally:
        late.stop()


def test_a_stop_does_not_wait_beyond_its_grace(make_gateway: Callable[..., Gateway]) -> None:
    nowhere = f"127.0.0.1:{free_ports(1)[0]}"
    gateway = make_gateway(nowhere, "http", shutdown={"grace": "1s", "accept_for": "0s"})
    assert post(gateway.http_port, request([chat_span("s")]).SerializeToString()).status == 200
    started = time.monotonic()
    gateway.terminate()
    assert time.monotonic() - started < 5
    assert "stopped before every copy" in gateway.log()


def test_the_gateway_itself_is_no_endpoint(tmp_path: pathlib.Path) -> None:
    gateway = Gateway(tmp_path, {"exporters": {"jsonl": {"directory": str(tmp_path / "data")}}})
    gateway.write_config({"exporters": {"otlp": {"endpoint": gateway.grpc_target}}})
    gateway.start()
    assert gateway.process is not None and gateway.process.wait(20) == 2
    assert "own receiver" in gateway.log()
