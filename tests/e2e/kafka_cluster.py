"""A real Kafka broker (KRaft, one node) for tests: start, stop, kill -9, restart, on free ports.

The jars come from tests/e2e/environment.sh, which keeps them under the hash of kafka/pom.xml.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from confluent_kafka.admin import AdminClient, NewTopic

HERE = pathlib.Path(__file__).resolve().parent
READY_TIMEOUT_S = 90
STOP_TIMEOUT_S = 30
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"  # any 16 bytes in URL-safe base64
USER, PASSWORD = "gateway", "gateway-secret"

# C1 only: it halves the CPU of a start, and these brokers carry little.
JVM = [
    "-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true",
    f"-Dlog4j2.configurationFile={HERE / 'kafka' / 'log4j2.properties'}",
]

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
controlled.shutdown.max.retries=1
# After kill -9 a broker may register again only when its old session has run out (default 9000).
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.threads=1
num.network.threads=2
num.io.threads=4
background.threads=2
"""


def deps_directory() -> pathlib.Path:
    return pathlib.Path(
        os.environ.get("SPANGATE_DEPS_DIR") or pathlib.Path.home() / ".cache" / "spangate"
    )


def jars() -> list[str]:
    pinned = hashlib.sha256((HERE / "kafka" / "pom.xml").read_bytes()).hexdigest()[:12]
    found = sorted(str(jar) for jar in (deps_directory() / f"kafka-{pinned}").glob("*.jar"))
    assert found, "no Kafka jars: run tests/e2e/environment.sh (make e2e does)"
    return found


def free_ports(count: int) -> list[int]:
    """Ports free on loopback just now; all are held until the last is known."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class KafkaBroker:
    """One broker with its data in `directory`. Not thread-safe."""

    def __init__(self, directory: pathlib.Path) -> None:
        self.directory = directory
        self.port, self.sasl_port, self.controller_port = free_ports(3)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.sasl_bootstrap = f"127.0.0.1:{self.sasl_port}"  # SCRAM-SHA-512, USER and PASSWORD
        self._process: subprocess.Popen | None = None
        self._class_path = ":".join(jars())
        self._admin: AdminClient | None = None

    def start(self) -> KafkaBroker:
        """Formats a new log directory and starts."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        (self.directory / "server.properties").write_text(self.properties())
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c",
                   str(self.directory / "server.properties"), "--add-scram", scram,
                   ).check_returncode()
        return self.resume()

    def properties(self) -> str:
        """The text of server.properties; the last line of a key counts."""
        return PROPERTIES.format(
            port=self.port, sasl_port=self.sasl_port, controller_port=self.controller_port,
            data=self.directory / "data",
        )

    def resume(self) -> KafkaBroker:
        """Starts on the data that is there; returns when clients are served."""
        log = open(self.directory / "log", "ab")
        self._process = subprocess.Popen(
            ["java", *JVM, "-cp", self._class_path, "kafka.Kafka",
             str(self.directory / "server.properties")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
        log.close()
        self._wait_until_ready()
        return self

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9: nothing is flushed, no client is told."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """The broker keeps its connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def unpause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def create_topics(self, names: list[str], partitions: int = 6) -> None:
        topics = [NewTopic(name, num_partitions=partitions, replication_factor=1) for name in names]
        for made in self.admin().create_topics(topics, request_timeout=20).values():
            made.result()

    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return self._admin

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _java(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["java", *JVM, "-cp", self._class_path, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=READY_TIMEOUT_S,
        )

    def _wait_until_ready(self) -> None:
        # The client port opens only when the broker serves; the admin call makes sure.
        assert self._process is not None
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError("Kafka ended:\n" + self._log_tail())
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.1)
                continue
            probe = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            if probe.list_topics(timeout=10).brokers:
                return
        raise RuntimeError("Kafka was not ready in time:\n" + self._log_tail())

    def _log_tail(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-3000:]
