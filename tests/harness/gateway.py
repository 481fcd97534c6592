"""Runs the program under test: writes its configuration, starts it, waits, reads its metrics."""

from __future__ import annotations

import copy
import json
import os
import pathlib
import re
import signal
import subprocess
import time
from typing import Any

import requests

from kafka_cluster import free_ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY_TIMEOUT_S = 30
HASH_KEY = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
SERIES = re.compile(r"^(\w+)(?:\{(.*)\})?\s+(\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def binary() -> pathlib.Path:
    return pathlib.Path(os.environ.get("SPANGATE_BINARY", ROOT / "build" / "spangate"))


def merge(base: dict, over: dict) -> dict:
    result = copy.deepcopy(base)
    for key, value in over.items():
        if isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merge(result[key], value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def run(*arguments: str, timeout_s: float = 30, **kwargs: Any) -> subprocess.CompletedProcess:
    """One of the program's short commands."""
    return subprocess.run(
        [str(binary()), *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", timeout=timeout_s, **kwargs,
    )


class Gateway:
    """One running `spangate serve`. Use as a context manager; leaving it ends the process."""

    def __init__(self, directory: pathlib.Path, config: dict[str, Any]) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.grpc_port, self.http_port, self.admin_port = free_ports(3)
        self.http_url = f"http://127.0.0.1:{self.http_port}"
        self.admin_url = f"http://127.0.0.1:{self.admin_port}"
        self.grpc_target = f"127.0.0.1:{self.grpc_port}"
        self.config_file = directory / "spangate.yaml"
        self.log_file = directory / "log"
        self.config = merge({
            "receivers": {"otlp": {"protocols": {
                "grpc": {"endpoint": self.grpc_target},
                "http": {"endpoint": f"127.0.0.1:{self.http_port}"},
            }}},
            "processors": {"redact": {"hash_key": HASH_KEY}},
            "admin": {"endpoint": f"127.0.0.1:{self.admin_port}"},
            "shutdown": {"grace": "10s", "accept_for": "0s"},
            # A spool of its own; a test's directory may lie in memory.
            "spool": {"directory": str(directory / "spool"), "allow_volatile": True},
            "log": {"format": "json"},
        }, config)
        self.process: subprocess.Popen | None = None
        self.environment: dict[str, str] = {}  # beside the caller's

    def write_config(self, over: dict[str, Any] | None = None) -> None:
        self.config = merge(self.config, over or {})
        # JSON is YAML: no emitter needed.
        self.config_file.write_text(json.dumps(self.config, indent=2))

    def start(self, *flags: str) -> Gateway:
        self.write_config()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                [str(binary()), "serve", "--config", str(self.config_file), *flags],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=os.environ | self.environment,
            )
        return self

    def wait_until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> Gateway:
        deadline = time.monotonic() + timeout_s
        last = "no answer"
        while time.monotonic() < deadline:
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"exit code {self.process.returncode}:\n{self.log()}")
            try:
                reply = requests.get(f"{self.admin_url}/readyz", timeout=2)
                if reply.status_code == 200:
                    return self
                last = reply.text
            except requests.RequestException as failure:
                last = str(failure)
            time.sleep(0.05)
        raise AssertionError(f"not ready in time ({last}):\n{self.log()}")

    def readiness(self) -> requests.Response:
        return requests.get(f"{self.admin_url}/readyz", timeout=5)

    def terminate(self, timeout_s: float = 30) -> int:
        """SIGTERM, as an orchestrator would; returns the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout_s)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def metrics(self) -> Metrics:
        reply = requests.get(f"{self.admin_url}/metrics", timeout=5)
        reply.raise_for_status()
        return Metrics(reply.text)

    def wait_until_direct(self, timeout_s: float = READY_TIMEOUT_S) -> Gateway:
        """Kafka has been reached: from now on nothing goes through the spool unless it must."""
        deadline = time.monotonic() + timeout_s
        while any(self.metrics().total("spangate_deliver_state", **{"class": name})
                  for name in ("operational", "detail", "evidence")):
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)
        return self

    def wait_until_at_rest(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """All that was accepted is at Kafka, and the ledger balances."""
        deadline = time.monotonic() + timeout_s
        while not (now := self.metrics()).at_rest() or now.faults():
            assert time.monotonic() < deadline, f"{now.faults()}\n{now.text}\n{self.log()}"
            time.sleep(0.2)

    def resident_bytes(self) -> int:
        assert self.process is not None
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) * 1024

    def __enter__(self) -> Gateway:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        try:
            self.terminate(20)
        except subprocess.TimeoutExpired:
            self.kill()


class Metrics:
    """One scrape: name → {labels → value}."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._series: dict[str, dict[frozenset, float]] = {}
        for line in text.splitlines():
            found = SERIES.match(line)
            if line.startswith("#") or not found:
                continue
            labels = frozenset(LABEL.findall(found.group(2) or ""))
            self._series.setdefault(found.group(1), {})[labels] = float(found.group(3))

    def total(self, name: str, **labels: str) -> float:
        """The sum over all series of that name which carry these labels."""
        wanted = set(labels.items())
        return sum(value for have, value in self._series.get(name, {}).items() if wanted <= have)

    def names(self) -> set[str]:
        return set(self._series)

    def at_rest(self) -> bool:
        """Nothing under way, and nothing left in the spool."""
        return self.total("spangate_records_in_flight") == self.total("spangate_records_spooled") == 0

    def faults(self, required: tuple[str, ...] = ("operational", "detail", "evidence")) -> list[str]:
        """What the ledger of the contract (§8) does not explain; empty at rest."""
        found = []
        received = self.total("spangate_items_received_total")
        accepted = self.total("spangate_items_accepted_total")
        rejected = self.total("spangate_items_rejected_total")
        refused = self.total("spangate_items_refused_total")
        produced = self.total("spangate_items_produced_total")
        dropped = self.total("spangate_items_dropped_total")
        if received != accepted + rejected + refused:
            found.append(f"received {received} != accepted {accepted} + rejected {rejected} + refused {refused}")
        if accepted != produced + dropped:
            found.append(f"accepted {accepted} != produced {produced} + dropped {dropped}")
        for name in required:
            found += self._class_faults(name)
        return found

    def _class_faults(self, name: str) -> list[str]:
        read = lambda what: self.total(f"spangate_records_{what}", **{"class": name})
        entered = read("accepted_total") + read("recovered_total")
        left = {what: read(what) for what in (
            "delivered_total", "spooled", "dead_lettered_total", "withdrawn_total", "in_flight")}
        if entered == sum(left.values()):
            return []
        return [f"{name}: accepted and recovered {entered} != {left}"]
