#!/usr/bin/env python3
"""CPU per span of the whole job, beside bare librdkafka producing the very same records.

One real Kafka, one gateway. Turns alternate: HTTP, gRPC, floor, HTTP, gRPC, floor, …; medians and
ratios are printed, because machines are shared. Every request is load/payload/agent64.pb (64 agent
spans, 92 KB) with fresh trace ids, so that nothing is a repeat. CPU is utime + stime of the gateway.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "harness"))

from gateway import Gateway  # noqa: E402
from kafka_cluster import KafkaBroker  # noqa: E402
from otlp import GrpcClient  # noqa: E402
from stage import kafka_config, topics_named  # noqa: E402
from topic_reader import TopicReader  # noqa: E402

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (  # noqa: E402
    ExportTraceServiceRequest,
)

SPANS = 64
TICK = os.sysconf("SC_CLK_TCK")


class Payload:
    """The body with fresh ids each time: same bytes otherwise."""

    def __init__(self) -> None:
        self.body = (HERE / "payload" / "agent64.pb").read_bytes()
        request = ExportTraceServiceRequest.FromString(self.body)
        spans = [s for r in request.resource_spans for c in r.scope_spans for s in c.spans]
        assert len(spans) == SPANS
        self.trace_ids = sorted({s.trace_id for s in spans})

    def fresh(self) -> bytes:
        body = self.body
        for trace_id in self.trace_ids:
            body = body.replace(trace_id, os.urandom(16))
        return body


def cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_mib(pid: int) -> float:
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def send_http(port: int, bodies: list[bytes]) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    waits = []
    for body in bodies:
        start = time.perf_counter()
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        reply = connection.getresponse()
        answer = reply.read()
        assert reply.status == 200, (reply.status, answer)
        waits.append(time.perf_counter() - start)
    connection.close()
    return waits


def send_grpc(port: int, bodies: list[bytes]) -> list[float]:
    client = GrpcClient(f"127.0.0.1:{port}")
    waits = []
    for body in bodies:
        start = time.perf_counter()
        client.export(body)
        waits.append(time.perf_counter() - start)
    client.close()
    return waits


def turn(send, port: int, pid: int, payload: Payload, requests: int, connections: int) -> dict:
    shares = [[payload.fresh() for _ in range(requests // connections)] for _ in range(connections)]
    before, start = cpu_seconds(pid), time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        waits = [w for part in pool.map(lambda bodies: send(port, bodies), shares) for w in part]
    wall = time.perf_counter() - start
    time.sleep(0.2)  # the last acknowledgements' bookkeeping belongs to the turn
    spans = len(waits) * SPANS
    return {"cpu_us": (cpu_seconds(pid) - before) * 1e6 / spans, "spans_s": spans / wall,
            "p50_ms": statistics.median(waits) * 1e3, "p99_ms": sorted(waits)[int(len(waits) * .99)] * 1e3}


def write_records(path: pathlib.Path, records: list, topics: dict[str, str], payload_count: int) -> float:
    with path.open("wb") as file:
        for record in records:
            parts = [topics[record.event_class].encode(), record.key.encode(), record.raw]
            for part in parts:
                file.write(struct.pack("<I", len(part)) + part)
            file.write(struct.pack("<I", len(record.headers)))
            for name, value in record.headers.items():
                value = value if isinstance(value, bytes) else value.encode()
                file.write(struct.pack("<I", len(name)) + name.encode())
                file.write(struct.pack("<I", len(value)) + value)
    return len(records) / payload_count


def floor(build: pathlib.Path, bootstrap: str, records: pathlib.Path, rounds: int) -> float:
    out = subprocess.run([build / "load" / "rdkafka_floor", bootstrap, records, str(rounds)],
                         capture_output=True, text=True, check=True, timeout=300).stdout
    return json.loads(out)["cpu_us_per_record"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--requests", type=int, default=400, help="a turn")
    parser.add_argument("--connections", type=int, default=4)
    options = parser.parse_args()
    payload = Payload()
    with tempfile.TemporaryDirectory() as directory:
        place = pathlib.Path(directory)
        broker = KafkaBroker(place / "kafka").start()
        topics = topics_named("bench")
        broker.create_topics(list(topics.values()))
        gateway = Gateway(place / "gateway", kafka_config(broker, topics))
        try:
            gateway.start()
            gateway.wait_until_ready()
            idle = peak_mib(gateway.process.pid)
            warm = [payload.fresh() for _ in range(8)]
            send_http(gateway.http_port, warm)
            reader = TopicReader(broker.bootstrap, topics)
            records = reader.refresh()
            per_request = write_records(place / "records", records, topics, len(warm))
            reader.close()
            results: dict[str, list[dict]] = {"http": [], "grpc": []}
            floors = []
            rounds = max(1, options.requests // len(warm))
            for _ in range(options.turns):
                for name, send, port in (("http", send_http, gateway.http_port),
                                         ("grpc", send_grpc, gateway.grpc_port)):
                    results[name].append(turn(send, port, gateway.process.pid, payload,
                                              options.requests, options.connections))
                floors.append(floor(options.build, broker.bootstrap, place / "records", rounds))
            records_per_span = per_request / SPANS
            floor_us = statistics.median(floors) * records_per_span
            print(f"records per span {records_per_span:.2f}; idle RSS {idle:.0f} MiB; "
                  f"peak RSS {peak_mib(gateway.process.pid):.0f} MiB")
            print(f"bare librdkafka, the same records: {floor_us:.1f} µs CPU/span")
            for name, turns in results.items():
                middle = {k: statistics.median(t[k] for t in turns) for k in turns[0]}
                print(f"spangate over {name}: {middle['cpu_us']:.1f} µs CPU/span "
                      f"(ratio {middle['cpu_us'] / floor_us:.2f}), {middle['spans_s']:.0f} spans/s, "
                      f"ack p50 {middle['p50_ms']:.1f} ms, p99 {middle['p99_ms']:.1f} ms")
        finally:
            gateway.terminate()
            broker.stop()


if __name__ == "__main__":
    main()
