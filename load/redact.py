#!/usr/bin/env python3
"""What redaction costs: µs of CPU per span of load/payload, with no detectors, ten and all of them.

Ours is the redact room alone (redact_bench.cc), what detection adds to it, and bare RE2 running one
pattern of each kind over the same texts. With OTEL_COLLECTOR (the path of an OpenTelemetry
Collector that has the otlp receiver, the redaction processor and the nop exporter) the same bodies
go over HTTP to three Collectors in turns: one that drops what it decoded, two that redact it with
the patterns of RE2 before. The difference of their CPU (utime + stime) is their redaction.
"""
from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

from bench import HERE, SPANS, Payload, cpu_seconds, send_http

SETS = {"none": 0, "ten": 10, "all": 14}
CONNECTIONS = 2


def bench_lines(bench: pathlib.Path, *words: str) -> list[str]:
    return subprocess.run([bench, *words], capture_output=True, text=True, check=True,
                          timeout=600).stdout.splitlines()


class Collector:
    """One process on a port of its own; its output goes to a file beside its patterns."""

    def __init__(self, binary: str, config: str, patterns: list[str], place: pathlib.Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        place.mkdir()
        (place / "patterns.yaml").write_text(json.dumps(patterns))
        self.log = place / "log"
        environment = {**os.environ, "OTLP_HTTP_PORT": str(self.port),
                       "REDACT_PATTERNS": str(place / "patterns.yaml")}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([binary, "--config", HERE / "collector" / config],
                                            env=environment, stdout=log, stderr=log)
        self.us_per_span: list[float] = []

    def wait_until_ready(self) -> None:
        for _ in range(300):
            if self.process.poll() is not None:
                raise RuntimeError("the Collector ended: " + self.log.read_text()[-2000:])
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise TimeoutError("the Collector does not listen")

    def turn(self, payload: Payload, requests: int) -> None:
        bodies = [payload.fresh() for _ in range(requests)]
        before = cpu_seconds(self.process.pid)
        send_http(self.port, bodies)
        time.sleep(0.3)  # what it collects of its garbage belongs to the turn
        spent = cpu_seconds(self.process.pid) - before
        self.us_per_span.append(spent * 1e6 / (requests * SPANS))

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)


def collector_figures(binary: str, bench: pathlib.Path, turns: int) -> dict[str, list[float]]:
    """By set, turn by turn; `none` is the Collector without the processor."""
    payload = Payload()
    requests = {"none": 400, "ten": 60, "all": 60}
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        collectors = {}
        for name, count in SETS.items():
            config = "redaction.yaml" if count else "plain.yaml"
            patterns = bench_lines(bench, "patterns", str(count)) if count else []
            collectors[name] = Collector(binary, config, patterns, pathlib.Path(directory) / name)
            stack.callback(collectors[name].stop)
        for collector in collectors.values():
            collector.wait_until_ready()
            send_http(collector.port, [payload.fresh() for _ in range(20)])
        for _ in range(turns):
            for name, collector in collectors.items():
                collector.turn(payload, requests[name])
        return {name: collector.us_per_span for name, collector in collectors.items()}


def row(name: str, cells: list[str]) -> None:
    print(f"| {name:<44} | " + " | ".join(f"{cell:>12}" for cell in cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=HERE.parent / "build")
    parser.add_argument("--rounds", type=int, default=400, help="of redact_bench")
    parser.add_argument("--turns", type=int, default=7, help="of each Collector")
    options = parser.parse_args()
    bench = options.build / "load" / "redact_bench"
    ours = {}
    for line in bench_lines(bench, "tsv", str(options.rounds)):
        arm, *figures = line.split("\t")
        ours[arm] = [float(figure) for figure in figures]
    row("µs of CPU per span, medians", [f"{name} ({count})" for name, count in SETS.items()])
    row("---", ["---:"] * len(SETS))
    row("spangate: redaction adds", ["0"] + [f"{ours[f'room, {s}'][2]:.2f}" for s in ("ten", "all")])
    row("spangate: the redact room whole", [f"{ours[f'room, {s}'][0]:.1f}" for s in SETS])
    row("spangate: detection alone, every text anew", [f"{ours[f'detection, {s}'][0]:.2f}" for s in SETS])
    row("bare RE2, one pattern after the other", ["–"] + [f"{ours[f'RE2, {s}'][0]:.1f}" for s in ("ten", "all")])
    binary = os.environ.get("OTEL_COLLECTOR")
    if not binary:
        print("\nOTEL_COLLECTOR names no Collector to hold it against (load/README.md).")
        return
    theirs = collector_figures(binary, bench, options.turns)
    added = [[a - b for a, b in zip(theirs[s], theirs["none"])] for s in ("ten", "all")]
    row("Collector: its redaction processor adds", ["0"] + [f"{statistics.median(a):.0f}" for a in added])
    row("Collector: the process whole", [f"{statistics.median(theirs[s]):.0f}" for s in SETS])


if __name__ == "__main__":
    main()
