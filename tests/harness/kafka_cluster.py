"""A real Kafka (KRaft, one node or several) for tests: start, stop, kill -9, restart, on free ports.

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
from typing import Iterable

from confluent_kafka.admin import AdminClient, NewTopic

HERE = pathlib.Path(__file__).resolve().parent
READY_TIMEOUT_S = 90
STOP_TIMEOUT_S = 30
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"  # any 16 bytes in URL-safe base64
USER, PASSWORD = "gateway", "gateway-secret"
NAME = "broker.invalid"  # of the NAMED listener

# C1 only: it halves the CPU of a start, and these brokers carry little.
JVM = [
    "-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true", "-Djava.net.preferIPv4Stack=true",
    f"-Dlog4j2.configurationFile={HERE / 'kafka' / 'log4j2.properties'}",
]

# PROXIED is served at one port and advertised at another, where a test's proxy stands. NAMED is
# advertised there too, by a name that no resolver knows but a test's own.
PROPERTIES = """\
process.roles=broker,controller
node.id={number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port},PROXIED://127.0.0.1:{proxied_port},NAMED://127.0.0.1:{named_port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL://127.0.0.1:{sasl_port},PROXIED://127.0.0.1:{proxy_port},NAMED://{name}:{proxy_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,PROXIED:PLAINTEXT,NAMED:PLAINTEXT,CONTROLLER:PLAINTEXT
listener.name.sasl.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
default.replication.factor={replicas}
min.insync.replicas={in_sync}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr={in_sync}
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

# Rights by ACL. The plain listeners' user, the tests' own, may do everything.
AUTHORIZER = """\
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
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


class KafkaNode:
    """One process, broker and controller in one. Not thread-safe."""

    def __init__(self, directory: pathlib.Path, number: int) -> None:
        self.directory, self.number = directory, number
        (self.port, self.sasl_port, self.proxied_port, self.named_port,
         self.controller_port) = free_ports(5)
        self._process: subprocess.Popen | None = None
        self._class_path = ":".join(jars())

    def format(self, properties: str) -> None:
        """Begins with empty data directories."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        file = self.directory / "server.properties"
        file.write_text(properties)
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(file),
                   "--add-scram", scram).check_returncode()

    def launch(self) -> None:
        log = open(self.directory / "log", "ab")
        self._process = subprocess.Popen(
            ["java", *JVM, "-cp", self._class_path, "kafka.Kafka",
             str(self.directory / "server.properties")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )
        log.close()

    def signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def reap(self) -> None:
        """After a signal that ends it."""
        if self._process is None:
            return
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def end(self, number: int) -> None:
        self.signal(number)
        self.reap()

    def wait_until_served(self, deadline: float) -> None:
        """The client port opens only when the broker serves."""
        assert self._process is not None
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError("Kafka ended:\n" + self.log_tail())
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("Kafka was not ready in time:\n" + self.log_tail())

    def log_tail(self) -> str:
        return (self.directory / "log").read_text(errors="replace")[-3000:]

    def _java(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["java", *JVM, "-cp", self._class_path, *arguments],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=READY_TIMEOUT_S,
        )


class KafkaCluster:
    """Nodes with their data below `directory`; two of three must have a record before it is
    acknowledged. Not thread-safe.

    `proxy_port`: at it, the first node tells the clients of PROXIED and NAMED to find it.
    """

    def __init__(self, directory: pathlib.Path, nodes: int = 1, *, authorizer: bool = False,
                 proxy_port: int | None = None) -> None:
        self.directory = directory
        self.nodes = [KafkaNode(directory / f"node{n}", n) for n in range(1, nodes + 1)]
        self._authorizer, self._proxy_port = authorizer, proxy_port
        self.bootstrap = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        # SCRAM-SHA-512, USER and PASSWORD
        self.sasl_bootstrap = ",".join(f"127.0.0.1:{node.sasl_port}" for node in self.nodes)
        self._admin: AdminClient | None = None

    def start(self) -> KafkaCluster:
        """Formats new log directories and starts."""
        for node in self.nodes:
            node.format(self.properties_of(node))
        return self.resume()

    def resume(self) -> KafkaCluster:
        """Starts on the data that is there; returns when clients are served."""
        self.resume_nodes(self.nodes)
        return self

    def resume_nodes(self, nodes: Iterable[KafkaNode]) -> None:
        started = list(nodes)
        for node in started:
            node.launch()
        deadline = time.monotonic() + READY_TIMEOUT_S
        for node in started:
            node.wait_until_served(deadline)
        while True:
            probe = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
            alive = {broker.id for broker in probe.list_topics(timeout=20).brokers.values()}
            if alive >= {node.number for node in started}:
                return
            if time.monotonic() > deadline:
                raise RuntimeError("Kafka was not ready in time:\n" + started[0].log_tail())
            time.sleep(0.1)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9: nothing is flushed, no client is told."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """The brokers keep their connections and answer nothing."""
        for node in self.nodes:
            node.signal(signal.SIGSTOP)

    def unpause(self) -> None:
        for node in self.nodes:
            node.signal(signal.SIGCONT)

    def create_topics(self, names: list[str], partitions: int = 6,
                      config: dict[str, str] | None = None) -> None:
        replicas = min(3, len(self.nodes))
        topics = [NewTopic(name, num_partitions=partitions, replication_factor=replicas,
                           config=config or {}) for name in names]
        for made in self.admin().create_topics(topics, request_timeout=20).values():
            made.result()

    def admin(self) -> AdminClient:
        if self._admin is None:
            self._admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return self._admin

    def properties_of(self, node: KafkaNode) -> str:
        """The text of its server.properties; the last line of a key counts."""
        voters = ",".join(f"{n.number}@127.0.0.1:{n.controller_port}" for n in self.nodes)
        replicas = min(3, len(self.nodes))
        text = PROPERTIES.format(
            number=node.number, voters=voters, port=node.port, sasl_port=node.sasl_port,
            proxied_port=node.proxied_port, named_port=node.named_port, name=NAME, controller_port=node.controller_port,
            proxy_port=self._proxy_port or node.proxied_port, data=node.directory / "data",
            replicas=replicas, in_sync=max(1, replicas - 1),
        )
        return text + (AUTHORIZER if self._authorizer else "")

    def _end(self, number: int) -> None:
        for node in self.nodes:
            node.signal(number)
        for node in self.nodes:
            node.reap()


class KafkaBroker(KafkaCluster):
    """A cluster of one; what is more than PROPERTIES comes from a subclass's properties()."""

    def __init__(self, directory: pathlib.Path) -> None:
        super().__init__(directory)
        node = self.nodes[0]
        self.port, self.sasl_port, self.controller_port = (
            node.port, node.sasl_port, node.controller_port)

    def properties(self) -> str:
        return super().properties_of(self.nodes[0])

    def properties_of(self, node: KafkaNode) -> str:
        return self.properties()
