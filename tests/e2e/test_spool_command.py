"""`spangate spool`: people look into a spool, and mend it, without losing what can be read."""

from __future__ import annotations

import json
import pathlib

import pytest

from gateway import Gateway, run
from kafka_cluster import free_ports
from otlp import chat_span, post, request

CONTENT = "my dog is called Rex"


@pytest.fixture()
def spooled(tmp_path: pathlib.Path) -> Gateway:
    """A gateway without a broker, which has taken three sessions and is still running."""
    nobody, = free_ports(1)
    gateway = Gateway(tmp_path, {"exporters": {"kafka": {"brokers": [f"127.0.0.1:{nobody}"]}}})
    gateway.start().wait_until_ready()
    for number in range(3):
        body = request([chat_span(f"s-{number}", content=CONTENT)]).SerializeToString()
        post(gateway.http_port, body).response()
    yield gateway
    gateway.kill()


def spool(gateway: Gateway, what: str, *flags: str):
    return run("spool", what, "--config", str(gateway.config_file), *flags)


def segment_of(gateway: Gateway, event_class: str) -> pathlib.Path:
    return next((pathlib.Path(gateway.config["spool"]["directory"]) / event_class).glob("*.segment"))


def test_check_and_dump_read_a_spool_in_use(spooled: Gateway) -> None:
    checked = spool(spooled, "check")
    assert checked.returncode == 0
    for event_class in ("operational", "detail", "evidence"):
        assert f"{event_class}: 3 records" in checked.stdout
    assert str(spooled.process.pid) in checked.stderr
    dumped = [json.loads(line) for line in spool(spooled, "dump", "--json").stdout.splitlines()]
    assert len(dumped) == 9
    assert CONTENT not in json.dumps(dumped)


def test_values_of_evidence_are_shown_only_when_it_is_named(spooled: Gateway) -> None:
    unnamed = spool(spooled, "dump", "--json", "--values").stdout
    shown = {json.loads(line)["class"]: line for line in unnamed.splitlines()}
    assert CONTENT in shown["detail"]  # redacted text, as that topic has it
    assert CONTENT not in shown["evidence"]
    assert CONTENT in spool(spooled, "dump", "--values", "--class", "evidence").stdout


def test_repair_waits_for_the_gateway_and_keeps_what_can_be_read(spooled: Gateway) -> None:
    refused = spool(spooled, "repair")
    assert refused.returncode == 2 and str(spooled.process.pid) in refused.stderr
    spooled.kill()
    segment = segment_of(spooled, "detail")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0xFF
    segment.write_bytes(content)
    damaged = spool(spooled, "check")
    assert damaged.returncode == 1 and "damage" in damaged.stdout
    assert spool(spooled, "repair").returncode == 0
    mended = spool(spooled, "check")
    assert "damage" not in mended.stdout
    assert "detail: 2 records" in mended.stdout and "quarantine: 1 files" in mended.stdout
    assert "operational: 3 records" in mended.stdout
    assert mended.returncode == 1  # until someone has looked at what was put aside
