"""Runs the agents of clients/ against a gateway and a model server, and reads what became of them.

Each run has a tenant of its own (resource attribute tenant.id), by which its records are found, and
a session of its own.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import pathlib
import re
import subprocess
from typing import Any

import summary
from clients.model_server import ModelServer
from stage import Stage
from topic_reader import Record

CLIENTS = pathlib.Path(__file__).resolve().parent / "clients"
RUN_TIMEOUT_S = 120
PRICES_FILE = CLIENTS / "prices.yaml"
EXPORT_TROUBLE = re.compile(
    r"(?i)failed to export|transient error|exporting spans batch|retrying in|StatusCode\."
    r"|partial.success")


@dataclasses.dataclass(frozen=True)
class Client:
    """One agent: a script of clients/ in the environment of clients/requirements-NAME.txt."""

    name: str
    script: str
    environment: str
    arguments: tuple[str, ...] = ()
    protocol: str = "http/protobuf"
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def tenant(self) -> str:
        return f"tenant-{self.name}"

    @property
    def session_id(self) -> str:
        return f"sess-{self.name}"


class Run:
    """What a client's run left: its output, its records in the topics, the model server's ledger."""

    def __init__(self, client: Client, process: subprocess.CompletedProcess, records: list[Record],
                 usage: dict[str, Any]) -> None:
        self.client, self.process, self.records, self.usage = client, process, records, usage

    def of_class(self, name: str) -> list[dict[str, Any]]:
        return [record.event for record in self.records if record.event_class == name]

    @functools.cached_property
    def story(self) -> list[dict[str, Any]]:
        """The operational events of the client in the contract's order of the story."""
        return summary.in_order(event for event in self.of_class("operational")
                                if event["source"] != "gateway")

    def events(self, *types: str, **fields: Any) -> list[dict[str, Any]]:
        """The story's events of these types which have these fields."""
        return [event for event in self.story
                if event["event_type"] in types and fields.items() <= event.items()]

    @property
    def conversation(self) -> set[str]:
        """The client's session and those that aliases say are the same."""
        known, size = {self.client.session_id}, 0
        aliases = [event for event in self.of_class("operational")
                   if event["event_type"] == "session_alias"]
        while size != len(known):
            size = len(known)
            for alias in aliases:
                pair = {alias["session_id"], alias["alias_session_id"]}
                known |= pair if pair & known else set()
        return known

    def returned(self, what: str) -> int:
        """The model server's total over all models of the run."""
        return sum(model[what] for model in self.usage.values())

    @property
    def export_trouble(self) -> list[str]:
        return [line for line in self.process.stderr.splitlines() if EXPORT_TROUBLE.search(line)]


def python_of(environment: str) -> str:
    """The python of a client's environment, made when it is not there yet."""
    made = subprocess.run([str(CLIENTS.parent / "environment.sh"), "client", environment],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def run_client(client: Client, stage: Stage, models: ModelServer) -> Run:
    target = stage.gateway.http_url
    if client.protocol == "grpc":
        target = f"http://{stage.gateway.grpc_target}"
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR")
                 if name in os.environ}
    process = subprocess.run(
        [python_of(client.environment), str(CLIENTS / client.script), *client.arguments],
        env={
            **inherited, **dict(client.variables),
            "MODEL_URL": f"{models.url}/run/{client.name}", "SESSION_ID": client.session_id,
            "OTEL_EXPORTER_OTLP_ENDPOINT": target, "OTEL_EXPORTER_OTLP_PROTOCOL": client.protocol,
            "OTEL_RESOURCE_ATTRIBUTES": f"tenant.id={client.tenant}", "NO_PROXY": "127.0.0.1",
            # Spans leave at the end, together; log records as they come, so before their spans.
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        },
        stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
        timeout=RUN_TIMEOUT_S)
    records = [r for r in stage.reader.refresh() if r.event["tenant_id"] == client.tenant]
    return Run(client, process, records, models.ledger.report(client.name).get(client.name, {}))
