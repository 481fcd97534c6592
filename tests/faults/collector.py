"""An OpenTelemetry Collector with the Kafka exporter, for the same oracle to judge beside ours."""

from __future__ import annotations

import json
import pathlib
import socket
import subprocess
import time
from typing import Any

from opentelemetry.proto.trace.v1 import trace_pb2

from journal import Journal
from kafka_cluster import KafkaCluster, free_ports
from report import Figures
from sending import Sending
from topic_reader import Record, TopicReader

READY_TIMEOUT_S = 30
QUIET_S = 20  # no new record for so long: it has delivered what it will deliver
ARRIVAL_TIMEOUT_S = 240


class Collector:
    """One process. Queue and retry at their defaults (memory: 1,000 requests), but for shorter waits
    between attempts; no batch processor, which would acknowledge what no queue holds yet."""

    def __init__(self, binary: str, directory: pathlib.Path, bootstrap: str, topic: str,
                 has_storage: bool) -> None:
        directory.mkdir(parents=True)
        self._binary, self._directory = binary, directory
        self.grpc_port, self.http_port = free_ports(2)
        self.process: subprocess.Popen | None = None
        (directory / "collector.yaml").write_text(json.dumps(
            self._config(bootstrap, topic, has_storage)))

    def start(self) -> Collector:
        with open(self._directory / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self._binary, "--config", str(self._directory / "collector.yaml")],
                cwd=self._directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.http_port), timeout=1).close()
                return self
            except OSError:
                assert time.monotonic() < deadline and self.process.poll() is None, self.log()
                time.sleep(0.05)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        return (self._directory / "log").read_text(errors="replace")[-3000:]

    def resident_bytes(self) -> int:
        assert self.process is not None
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024

    def _config(self, bootstrap: str, topic: str, has_storage: bool) -> dict[str, Any]:
        queue: dict[str, Any] = {"enabled": True}
        service: dict[str, Any] = {
            "telemetry": {"metrics": {"level": "none"}, "logs": {"level": "error"}},
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["kafka"]}},
        }
        extensions = {}
        if has_storage:
            queue["storage"] = "file_storage"
            extensions = {"file_storage": {"directory": str(self._directory / "storage"),
                                           "create_directory": True, "fsync": True}}
            service["extensions"] = ["file_storage"]
        return {
            "receivers": {"otlp": {"protocols": {
                "grpc": {"endpoint": f"127.0.0.1:{self.grpc_port}"},
                "http": {"endpoint": f"127.0.0.1:{self.http_port}"}}}},
            "extensions": extensions,
            "exporters": {"kafka": {
                "brokers": bootstrap.split(","),
                "traces": {"topic": topic, "encoding": "otlp_proto"},
                "partition_traces_by_id": True,
                # acks of all is also what makes its producer idempotent
                "producer": {"required_acks": -1, "compression": "lz4"},
                "sending_queue": queue,
                "retry_on_failure": {"enabled": True, "initial_interval": "200ms",
                                     "max_interval": "2s"}}},
            "service": service,
        }


class SpanReader(TopicReader):
    """Counts the spans of otlp_proto records by id."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.tellings: dict[str, int] = {}
        super().__init__(bootstrap, {"traces": topic})

    def keep(self, record: Record) -> None:
        for resource in trace_pb2.TracesData.FromString(record.raw).resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    told = span.span_id.hex()
                    self.tellings[told] = self.tellings.get(told, 0) + 1


class CollectorTrial:
    """What Trial is for a gateway, as far as the comparison needs it."""

    def __init__(self, cluster: KafkaCluster, directory: pathlib.Path, topic: str, binary: str,
                 has_storage: bool) -> None:
        self.cluster, self._topic = cluster, topic
        cluster.create_topics([topic])
        self.subject = Collector(binary, directory / "collector", cluster.bootstrap, topic,
                                 has_storage)
        self.sending = Sending(directory, self.subject.log)
        self._began_at = time.time()

    def begin(self) -> CollectorTrial:
        self.subject.start()
        self.sending.begin([self.subject.http_port], [self.subject.grpc_port])
        return self

    def restart_killed(self) -> None:
        self.subject.kill()
        self.subject.start()

    def end(self) -> None:
        self.sending.kill()
        self.subject.kill()

    def finish(self, anchor: str, fault: str) -> Figures:
        self.sending.end()
        journal = self.sending.journal
        wanted = {span_id for request in journal.acknowledged() for span_id, _ in request.spans}
        tellings = self._arrived(wanted)
        return Figures(
            anchor, fault, spans=len(wanted), acknowledged=len(wanted),
            missing=len(wanted - tellings.keys()),
            duplicates=sum(count - 1 for count in tellings.values()), refused=journal.refused(),
            latency_max_s=journal.latencies.get("max", 0.0),
            resident_mib=self.subject.resident_bytes() / 2**20,
            seconds=time.time() - self._began_at, more="events = spans here")

    def _arrived(self, wanted: set[str]) -> dict[str, int]:
        """Patient: until all is there, or nothing has come for long."""
        reader = SpanReader(self.cluster.bootstrap, self._topic)
        try:
            deadline, changed_at, count = time.monotonic() + ARRIVAL_TIMEOUT_S, time.monotonic(), -1
            while time.monotonic() < min(deadline, changed_at + QUIET_S):
                reader.refresh()
                if wanted <= reader.tellings.keys():
                    break
                if sum(reader.tellings.values()) != count:
                    count, changed_at = sum(reader.tellings.values()), time.monotonic()
                time.sleep(0.5)
            return reader.tellings
        finally:
            reader.close()
