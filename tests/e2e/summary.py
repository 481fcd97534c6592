#!/usr/bin/env python3
"""What became of telemetry, one line a group: a table for people, from the operational events.

    summary.py DIRECTORY [--by tenant_id|service_name]  of the files of a jsonl sink
    summary.py captures [NAME...]                       of tests/captures, a gateway for each

Tests use it with what they read from Kafka (rows_of, table_of).
"""

from __future__ import annotations

import argparse
import collections
import json
import pathlib
import tempfile
from typing import Any, Iterable, Iterator

PRICES_FILE = pathlib.Path(__file__).resolve().parent / "clients" / "prices.yaml"
INVENTED = ("trace:", "log:")  # session ids the gateway makes where no key was found
COLUMNS = ("group", "spans", "logs", "dropped", "events", "bound", "calls", "twins", "tokens in+out",
           "cost USD", "returned by the model server", "events by type", "other")


def in_order(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The contract's order of the story, without the tie of parent and child."""
    at_start = ("session_start", "tool_request")
    return sorted(events, key=lambda e: (e["timestamp"], e["event_type"] not in at_start,
                                         e["gateway_seq"], e["event_id"]))


def once(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without repeats; the newest wins, as a consumer does it."""
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for event in sorted(events, key=lambda e: e["ts_received"]):
        newest[event["tenant_id"], event["event_id"]] = event
    return list(newest.values())


class Row:
    """One group's operational events, counted."""

    def __init__(self, group: str, events: list[dict[str, Any]]) -> None:
        self.group = group
        self.events = [event for event in once(events) if event["source"] in ("span", "log")]
        self.primaries = [event for event in self.events if "primary_event_id" not in event]
        self.by_type = collections.Counter(event["event_type"] for event in self.events)

    def items(self, source: str) -> int:
        return sum(1 for event in self.primaries if event["source"] == source)

    @property
    def bound_share(self) -> float:
        """The share of spans and records whose session came from a key, not from a trace id or a
        resource."""
        bound = [e for e in self.primaries if not e["session_id"].startswith(INVENTED)]
        return len(bound) / len(self.primaries) if self.primaries else 0.0

    @property
    def counted(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event.get("counted")]

    @property
    def twins(self) -> int:
        return sum(1 for event in self.events if event.get("usage_role") == "twin")

    def total(self, field: str) -> float:
        return sum(event.get(field, 0) for event in self.counted)

    @property
    def other(self) -> str:
        """What no rule gave a type, by source; records that only bring content to their span apart."""
        kinds = collections.Counter(
            event["source"] + (" joined" if "joins" in event else "")
            for event in self.events if event["event_type"] == "other")
        return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())

    def cells(self, returned: dict[str, Any] | None, dropped: int | None) -> list[str]:
        told = "" if returned is None else "{} calls, {}+{}".format(
            *(sum(model[what] for model in returned.values())
              for what in ("calls", "prompt_tokens", "completion_tokens")))
        types = " ".join(f"{name}:{count}" for name, count in sorted(self.by_type.items()))
        return [self.group, str(self.items("span")), str(self.items("log")),
                "" if dropped is None else str(dropped), str(len(self.events)),
                f"{self.bound_share:.0%}", str(len(self.counted)), str(self.twins),
                f"{self.total('tokens_prompt'):.0f}+{self.total('tokens_completion'):.0f}",
                f"{self.total('cost_usd'):.6f}", told, types, self.other]


def rows_of(events: Iterable[dict[str, Any]], by: str = "tenant_id") -> list[Row]:
    groups: dict[str, list[dict[str, Any]]] = collections.defaultdict(list)
    for event in events:
        groups[event.get(by, "-")].append(event)
    return [Row(group, members) for group, members in sorted(groups.items())]


def table_of(rows: list[Row], returned: dict[str, dict[str, Any]] | None = None,
             dropped: dict[str, int] | None = None) -> str:
    """Markdown. By group: `returned` is what the model server's /usage says of the run, `dropped`
    how many spans had no meaning for agents."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in rows:
        cells = row.cells((returned or {}).get(row.group), (dropped or {}).get(row.group))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def read_directory(directory: pathlib.Path) -> Iterator[dict[str, Any]]:
    for path in sorted(directory.rglob("operational*.jsonl*")):
        if path.suffix == ".zst":
            import zstandard
            text = zstandard.ZstdDecompressor().stream_reader(path.open("rb")).read().decode()
        else:
            text = path.read_text()
        lines = (json.loads(line) for line in text.splitlines())
        yield from (line for line in lines if "event_id" in line)  # each file begins with a header


def captures_table(names: list[str]) -> str:
    """Sends each capture, traces and logs, to a gateway of its own with the jsonl sink alone."""
    import captured
    from gateway import Gateway
    from otlp import GrpcClient

    bodies = captured.bodies("traces") + captured.bodies("logs")
    rows, dropped = [], {}
    for name in names or sorted({body.capture for body in bodies}):
        with tempfile.TemporaryDirectory() as directory:
            home = pathlib.Path(directory)
            with Gateway(home, {
                    "exporters": {"jsonl": {"directory": str(home / "data")}},
                    "processors": {"interpret": {"prices_file": str(PRICES_FILE)}},
                    "receivers": {"otlp": {"protocols": {
                        "http": {"path_prefixes": ["/api/public/otel"]}}}}}) as gateway:
                gateway.start().wait_until_ready()
                client = GrpcClient(gateway.grpc_target)
                for body in sorted(bodies, key=lambda body: body.file):
                    if body.capture == name:
                        body.send(gateway.http_port, client)
                client.close()
                dropped[name] = int(gateway.metrics().total(
                    "spangate_items_dropped_total", reason="other"))
            rows.append(Row(name, list(read_directory(home))))
    return table_of(rows, dropped=dropped)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("source", help="a directory, or the word captures")
    parser.add_argument("names", nargs="*", help="captures to send; default all")
    parser.add_argument("--by", default="tenant_id", help="field to group a directory's events by")
    options = parser.parse_args()
    if options.source == "captures":
        print(captures_table(options.names))
    else:
        print(table_of(rows_of(read_directory(pathlib.Path(options.source)), options.by)))


if __name__ == "__main__":
    main()
