"""The jsonl sink alone: what a 200 promised is in the files, whatever happens to the process."""

from __future__ import annotations

import json
import pathlib
import re
import time
from typing import Any, Iterator

import pytest
import zstandard
from confluent_kafka import Consumer, TopicPartition

import contract
from gateway import Gateway, run
from otlp import GrpcClient, chat_span, post, request


def body_of(*session_ids: str, **over: Any) -> bytes:
    return request([chat_span(name, **over) for name in session_ids]).SerializeToString()


def config(directory: pathlib.Path, **over: Any) -> dict[str, Any]:
    return {"exporters": {"jsonl": {"directory": str(directory / "data")} | over}}


@pytest.fixture()
def gateway(tmp_path: pathlib.Path) -> Iterator[Gateway]:
    with Gateway(tmp_path, config(tmp_path)).start().wait_until_ready() as running:
        yield running


def files_of(gateway: Gateway, event_class: str) -> list[pathlib.Path]:
    """Rotated files in the order of their names, the live one last."""
    files = sorted((gateway.directory / "data").glob(f"{event_class}*.jsonl*"))
    names = {file.name for file in files}
    # While a rotated file is being compressed both are there for a moment.
    return [file for file in files
            if not file.name.endswith(".part") and f"{file.name}.zst" not in names]


def text_of(file: pathlib.Path) -> str:
    if file.suffix != ".zst":
        return file.read_text()
    return zstandard.ZstdDecompressor().stream_reader(file.open("rb")).read().decode()


def lines_of(gateway: Gateway, event_class: str) -> list[dict[str, Any]]:
    """Headers and records of the class, in order."""
    return [json.loads(line) for file in files_of(gateway, event_class)
            for line in text_of(file).splitlines()]


def events_of(gateway: Gateway, event_class: str) -> list[dict[str, Any]]:
    return [line for line in lines_of(gateway, event_class) if "event_id" in line]


def test_each_class_has_its_file_and_each_file_its_header(gateway: Gateway) -> None:
    post(gateway.http_port, body_of("a", "b")).response()
    fields = contract.operational_fields()
    for event_class in ("operational", "detail", "evidence"):
        files = files_of(gateway, event_class)
        assert len(files) == 1
        header = lines_of(gateway, event_class)[0]
        assert header["spangate_jsonl"] == 1 and header["class"] == event_class
        assert header["version"] and header["host"] and header["gateway_id"]
        events = events_of(gateway, event_class)
        assert {event["session_id"] for event in events} == {"a", "b"}
        assert {event["event_class"] for event in events} == {event_class}
    assert all(event.keys() <= fields for event in events_of(gateway, "operational"))


def test_what_was_acknowledged_outlives_kill_9(gateway: Gateway) -> None:
    for number in range(20):
        post(gateway.http_port, body_of(f"s{number}")).response()
    gateway.kill()
    assert {event["session_id"] for event in events_of(gateway, "operational")} == {
        f"s{number}" for number in range(20)}


def test_grpc_is_acknowledged_too(gateway: Gateway) -> None:
    client = GrpcClient(gateway.grpc_target)
    assert client.export(body_of("over-grpc")).ByteSize() == 0
    client.close()
    assert [event["session_id"] for event in events_of(gateway, "evidence")] == ["over-grpc"]


def test_a_torn_last_line_is_repaired_at_the_next_start(gateway: Gateway) -> None:
    post(gateway.http_port, body_of("before")).response()
    gateway.kill()
    torn = files_of(gateway, "operational")[-1]
    with open(torn, "ab") as file:
        file.write(b'{"schema_version":1,"event_id":"0123')
    gateway.start().wait_until_ready()
    post(gateway.http_port, body_of("after")).response()
    assert [event["session_id"] for event in events_of(gateway, "operational")] == ["before", "after"]


def test_files_rotate_and_compress(tmp_path: pathlib.Path) -> None:
    sessions = [f"r{number}" for number in range(150)]
    with Gateway(tmp_path, config(tmp_path, rotate_bytes="1MiB")).start().wait_until_ready() as one:
        for name in sessions:
            post(one.http_port, body_of(name, content="word " * 4000)).response()
        deadline = time.monotonic() + 10
        while not any(file.suffix == ".zst" for file in files_of(one, "evidence")):
            assert time.monotonic() < deadline, files_of(one, "evidence")
            time.sleep(0.1)
        assert one.terminate() == 0
    assert [event["session_id"] for event in events_of(one, "evidence")] == sessions


def test_the_ledger_balances(gateway: Gateway) -> None:
    post(gateway.http_port, body_of("a", "b", "c")).response()
    assert gateway.metrics().faults() == []


def test_a_directory_that_cannot_be_written_is_a_refusal_not_a_loss(tmp_path: pathlib.Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the directory should be")
    gateway = Gateway(tmp_path, {"exporters": {"jsonl": {"directory": str(blocked / "data")}}})
    with gateway.start():
        assert gateway.process.wait(20) != 0
    assert str(blocked) in gateway.log()


def test_tail_reads_the_files(gateway: Gateway) -> None:
    post(gateway.http_port, body_of("shown", "hidden")).response()
    result = run("tail", "--from", str(gateway.directory / "data"), "--session", "shown")
    assert result.returncode == 0, result.stderr
    assert "shown" in result.stdout and "inference" in result.stdout
    assert "hidden" not in result.stdout


def test_without_a_key_one_is_made_and_announced_and_kept(tmp_path: pathlib.Path) -> None:
    gateway = Gateway(tmp_path, config(tmp_path))
    del gateway.config["processors"]
    refs = []
    for _ in range(2):
        with gateway.start().wait_until_ready():
            post(gateway.http_port, body_of("keyless", attributes={"user.id": "jane"})).response()
            assert "hash key" in gateway.log()
            refs.append(events_of(gateway, "operational")[-1]["user_ref"])
    assert refs[0] == refs[1] and "jane" not in refs[0]


def test_the_dev_broker_serves_kafka_and_says_that_it_is_a_toy(tmp_path: pathlib.Path) -> None:
    gateway = Gateway(tmp_path, config(tmp_path))
    with gateway.start("--dev-broker").wait_until_ready():
        post(gateway.http_port, body_of("toy")).response()
        log = gateway.log()
        assert "toy" in log.lower() or "newest" in log.lower()
        bootstrap = re.search(r"dev broker .* at (127\.0\.0\.1:\d+)", log).group(1)
        consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "toy", "log_level": 0})
        consumer.assign([TopicPartition("agent.operational", number, 0) for number in range(6)])
        message = consumer.poll(15)
        consumer.close()
        assert message is not None and message.error() is None and message.key() == b"toy"
        # The toy forgets, so success waits for the files.
        assert [event["session_id"] for event in events_of(gateway, "evidence")] == ["toy"]
