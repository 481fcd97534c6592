"""Evidence on a real broker: sealed, verified, rotated, erased; cut to what the topic takes."""

from __future__ import annotations

import base64
import itertools
import json
import os
import pathlib
import time
from typing import Any, Iterator

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

import contract
from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from event_message import changed
from gateway import Gateway, merge, run
from kafka_cluster import KafkaBroker
from otlp import chat_span, post, request
from topic_reader import CLASSES, Record, TopicReader

CLEAN, FINDINGS, USAGE, NOT_FOUND, BROKEN = 0, 1, 2, 3, 5
MIB = 1024 * 1024
_numbers = itertools.count(1)


def canary() -> str:
    return f"canary {os.urandom(8).hex()} sings"


class Vault:
    """A gateway that encrypts, with topics of its own made by `topics create`, and its keys."""

    def __init__(self, kafka: KafkaBroker, directory: pathlib.Path, per: str,
                 config: dict[str, Any] | None = None) -> None:
        number = next(_numbers)
        self.kafka = kafka
        self.topics = {name: f"vault{number}.{name}" for name in CLASSES} | {
            "evidence_keys": f"vault{number}.evidence-keys", "audit": f"vault{number}.audit"}
        self.key_file = directory / "keys.yaml"
        self.keys = {"acme": [{"id": "acme-1", "key": os.urandom(32).hex()}],
                     "default": [{"id": "all-1", "key": os.urandom(32).hex()}]}
        directory.mkdir(parents=True, exist_ok=True)
        self.write_keys()
        self.gateway = Gateway(directory, merge({
            "processors": {"route": {"evidence": {
                "encrypt": {"key_file": str(self.key_file), "per": per}}}},
            "exporters": {"kafka": {
                "brokers": [kafka.bootstrap], "topics": self.topics,
                "create": {"partitions": 2, "replication_factor": 1}}},
        }, config or {}))
        self.gateway.write_config()
        made = self.command("topics", "create")
        assert made.returncode == CLEAN, made.stdout + made.stderr
        self.gateway.start().wait_until_ready()
        self.reader = TopicReader(kafka.bootstrap, self.topics)

    def write_keys(self) -> None:
        self.key_file.write_text(json.dumps({"tenants": self.keys}))
        self.key_file.chmod(0o600)

    def command(self, *words: str, timeout_s: float = 60) -> Any:
        return run(*words, "--config", str(self.gateway.config_file), timeout_s=timeout_s)

    def verify(self, *words: str) -> tuple[int, dict[str, Any]]:
        told = self.command("evidence", "verify", "--json", *words)
        assert told.returncode in (CLEAN, FINDINGS), told.stdout + told.stderr
        return told.returncode, json.loads(told.stdout)

    def send(self, session_id: str, content: str, **attributes: Any) -> None:
        span = chat_span(session_id, content=content, attributes=attributes)
        made = request([span], {"tenant.id": "acme"}).SerializeToString()
        post(self.gateway.http_port, made).response()

    def records(self, name: str) -> list[Record]:
        return [record for record in self.reader.refresh() if record.event_class == name]

    def stored_keys(self) -> dict[str, dict[str, Any]]:
        """The newest of each key; tombstones remove."""
        keys: dict[str, dict[str, Any]] = {}
        for record in self.records("evidence_keys"):
            if record.raw:
                keys[record.key] = record.event
            else:
                keys.pop(record.key, None)
        return keys

    def open(self, record: Record) -> str:
        """The text of one chunk, by this contract's words and another library's AES-GCM."""
        event, key = record.event, self.stored_keys()[record.event["key_id"]]
        tenant_key = next(bytes.fromhex(one["key"]) for ring in self.keys.values() for one in ring
                          if one["id"] == key["wrapping_key_id"])
        sized = lambda text: len(text.encode()).to_bytes(4, "big") + text.encode()
        wrap_aad = b"spangate/evidence-key/1\0" + b"".join(map(sized, (
            key["key_id"], key["tenant_id"], key["per"], key["subject"], key["wrapping_key_id"])))
        wrapped = base64.b64decode(key["wrapped"])
        data_key = AESGCM(tenant_key).decrypt(wrapped[:12], wrapped[12:], wrap_aad)
        aad = (b"spangate/evidence-aad/1\0" + sized(event["tenant_id"])
               + event["event_id"].encode() + event["chunk"].to_bytes(4, "big")
               + event["chunks"].to_bytes(4, "big"))
        payload = base64.b64decode(event["payload"])
        return AESGCM(data_key).decrypt(payload[:12], payload[12:], aad).decode()

    def store(self, name: str, value: bytes, key: str, at_s: float | None = None) -> None:
        """A record of somebody else's on one of the topics."""
        producer = Producer({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0,
                             "partitioner": "murmur2_random"})
        producer.produce(self.topics[name], value, key.encode(),
                         timestamp=int((time.time() if at_s is None else at_s) * 1000))
        assert producer.flush(10) == 0

    def close(self) -> None:
        self.reader.close()
        with self.gateway:
            pass


@pytest.fixture()
def make_vault(kafka: KafkaBroker, tmp_path: pathlib.Path) -> Iterator[Any]:
    vaults: list[Vault] = []

    def make(per: str = "session", config: dict[str, Any] | None = None) -> Vault:
        vaults.append(Vault(kafka, tmp_path / f"vault{len(vaults)}", per, config))
        return vaults[-1]

    yield make
    for vault in vaults:
        vault.close()


def evidence_of(vault: Vault, session_id: str) -> list[Record]:
    return [record for record in vault.records("evidence") if record.key == session_id]


def test_sealed_content_stands_nowhere_in_clear_and_opens_by_the_contract(make_vault) -> None:
    vault, secret = make_vault("tenant", {"processors": {"redact": {"content_in_detail": "none"}}}), canary()
    vault.send("s1", secret)
    vault.send("s2", secret)
    everything = vault.reader.refresh()
    assert {record.event_class for record in everything} == {*CLASSES, "evidence_keys"}
    for record in everything:
        assert secret.encode() not in record.raw
        assert base64.b64encode(secret.encode())[4:-4] not in record.raw
    for record in vault.records("evidence"):
        assert not record.event.keys() & {"parts", "content"}
        assert secret in vault.open(record)
    assert secret not in vault.gateway.log()
    # The topic of keys is compacted, and a tenant has one key at a gateway.
    wanted = ConfigResource(ResourceType.TOPIC, vault.topics["evidence_keys"])
    told = next(iter(vault.kafka.admin().describe_configs([wanted]).values())).result()
    assert told["cleanup.policy"].value == "compact"
    assert [key["subject"] for key in vault.stored_keys().values()] == ["acme"]
    code, report = vault.verify()
    assert code == CLEAN, report
    assert report["match"] == 2 == report["encrypted"] == report["decrypted"]


def test_a_changed_record_is_found(make_vault) -> None:
    vault = make_vault("session")
    vault.send("s1", canary())
    vault.send("s2", canary())
    [record] = evidence_of(vault, "s1")
    event = record.event
    payload = bytearray(base64.b64decode(event["payload"]))
    payload[20] ^= 1
    forged = event | {"payload": base64.b64encode(payload).decode()}
    vault.store("evidence", json.dumps(forged).encode(), "s1")
    code, report = vault.verify()
    assert code == FINDINGS
    assert report["mismatch"] == 1 and report["match"] == 1
    assert [finding["event_id"] for finding in report["findings"]] == [event["event_id"]]
    # A chunk of an event that nobody committed to.
    invented = event | {"event_id": "0" * 32}
    vault.store("evidence", json.dumps(invented).encode(), "s1")
    assert vault.verify()[1]["mismatch"] == 2
    # Without its record evidence is missed, and each by its own session.
    assert vault.verify("--session", "s2")[0] == CLEAN
    claim = next(r.event for r in vault.records("operational") if r.key == "s2")
    vault.store("operational", json.dumps(claim | {"event_id": "1" * 32}).encode(), "s2")
    code, report = vault.verify("--session", "s2")
    assert code == FINDINGS and report["missing_evidence"] == 1


def test_erasing_a_session_leaves_the_others_and_every_commitment(make_vault) -> None:
    vault, kept, erased = make_vault("session"), canary(), canary()
    vault.send("gone", erased)
    vault.send("stays", kept)
    assert erased in vault.open(evidence_of(vault, "gone")[0])
    told = vault.command("evidence", "erase", "--tenant", "acme", "--session", "gone",
                         "--reason", "asked to", "--yes")
    assert told.returncode == CLEAN, told.stdout + told.stderr
    assert "1 data keys" in told.stdout and "0 still open" in told.stdout
    [audit] = vault.records("audit")
    assert audit.event["why"] == "asked to" and audit.event["subject"] == "gone"
    assert audit.event["audit_type"] == "evidence_erase" and audit.event["who"]
    with pytest.raises(KeyError):
        vault.open(evidence_of(vault, "gone")[0])
    assert kept in vault.open(evidence_of(vault, "stays")[0])
    code, report = vault.verify()
    assert code == CLEAN, report
    assert report["erased"] == 1 and report["match"] == 1
    # There is no second time, and no erasing of what no key covers alone.
    for session_id in ("gone", "never"):
        told = vault.command("evidence", "erase", "--tenant", "acme", "--session", session_id,
                             "--reason", "again", "--yes")
        assert told.returncode == NOT_FOUND, told.stdout + told.stderr


def until_retired(gateway: Gateway, count: int) -> None:
    deadline = time.monotonic() + 20
    while gateway.metrics().total("spangate_evidence_data_keys_retired_total") < count:
        assert time.monotonic() < deadline, "the gateway did not hear of the erased key"
        time.sleep(0.05)


def test_a_running_gateway_takes_a_new_key_when_its_own_is_erased(make_vault) -> None:
    vault, before, after = make_vault("tenant"), canary(), canary()
    vault.send("s1", before)
    told = vault.command("evidence", "erase", "--tenant", "acme", "--reason", "retention", "--yes")
    assert told.returncode == CLEAN, told.stdout + told.stderr
    until_retired(vault.gateway, 1)
    vault.send("s1", after)
    first, second = evidence_of(vault, "s1")
    assert first.event["key_id"] != second.event["key_id"]
    assert after in vault.open(second)
    with pytest.raises(KeyError):
        vault.open(first)
    code, report = vault.verify()
    assert code == CLEAN, report
    assert (report["erased"], report["match"], report["decrypted"]) == (1, 1, 1)
    assert report["sealed_after_erasure"] == 0
    assert vault.gateway.metrics().total("spangate_evidence_key_watch_faults_total") == 0


def test_expired_evidence_is_told_from_missing(make_vault) -> None:
    vault = make_vault("session", {"exporters": {"kafka": {"create": {"partitions": 1}}}})
    vault.send("old", canary())
    vault.send("new", canary())
    [kept] = evidence_of(vault, "new")
    evidence = TopicPartition(vault.topics["evidence"], 0, kept.offset)
    for done in vault.kafka.admin().delete_records([evidence]).values():
        done.result()  # as retention does it: what is older than a segment goes first
    code, report = vault.verify()
    assert code == CLEAN, report
    assert (report["expired"], report["match"], report["missing_evidence"]) == (1, 1, 0)
    told = vault.command("evidence", "verify")
    assert "1 expired" in told.stdout and "cannot be known any more" in told.stdout, told.stdout
    # What is newer than all that, and what nothing was deleted before, is missing.
    claim = next(r.event for r in vault.records("operational") if r.key == "new")
    vault.store("operational", json.dumps(claim | {"event_id": "1" * 32}).encode(), "new",
                at_s=time.time() + 3600)
    code, report = vault.verify()
    assert code == FINDINGS and (report["expired"], report["missing_evidence"]) == (1, 1), report
    assert "has not expired" in report["findings"][0]["text"]


def test_protobuf_evidence_is_verified_and_erased_as_json_is(make_vault) -> None:
    vault = make_vault("session", {
        "exporters": {"kafka": {"encoding": "protobuf"}},
        "processors": {"route": {"evidence": {"chunk_bytes_max": "16KiB"}},
                       "redact": {"content_in_detail": "none"}}})
    erased, kept = canary() + "x" * 50_000, canary()
    vault.send("gone", erased)
    vault.send("stays", kept)
    content = lambda session_id: "".join(map(vault.open, sorted(
        evidence_of(vault, session_id), key=lambda record: record.event["chunk"])))
    chunks = evidence_of(vault, "gone")
    assert len(chunks) > 2 and not any(record.raw.startswith(b"{") for record in chunks)
    assert erased in content("gone") and kept in content("stays")
    for record in vault.reader.refresh():
        assert erased.encode() not in record.raw and kept.encode() not in record.raw
    code, report = vault.verify()
    assert code == CLEAN, report
    assert (report["match"], report["decrypted"], report["chunks"]) == (2, 2, len(chunks) + 1)
    told = vault.command("evidence", "erase", "--tenant", "acme", "--session", "gone",
                         "--reason", "asked to", "--yes")
    assert told.returncode == CLEAN, told.stdout + told.stderr
    assert f"{len(chunks)} chunks of evidence in 1 sessions open no more, 0 still open" in told.stdout
    with pytest.raises(KeyError):
        content("gone")
    assert kept in content("stays")
    code, report = vault.verify()
    assert code == CLEAN, report
    assert (report["erased"], report["match"], report["decrypted"]) == (1, 1, 1)
    # What was changed, cut out, invented or torn is found here as well.
    [whole] = evidence_of(vault, "stays")
    payload = bytearray(base64.b64decode(whole.event["payload"]))
    payload[20] ^= 1
    vault.store("evidence", changed(whole.raw, payload=bytes(payload)), "stays")
    vault.store("evidence", changed(chunks[0].raw, event_id="0" * 32), "gone")
    vault.store("evidence", whole.raw[:-5], "stays")
    claim = next(r.raw for r in vault.records("detail") if r.key == "stays")
    vault.store("detail", changed(claim, event_id="1" * 32), "stays")
    code, report = vault.verify()
    assert code == FINDINGS, report
    found = {name: report[name] for name in ("mismatch", "missing_chunk", "missing_evidence", "damaged")}
    assert found == {"mismatch": 1, "missing_chunk": 1, "missing_evidence": 1, "damaged": 1}, report


def test_erasing_a_user_and_then_the_tenant(make_vault) -> None:
    vault = make_vault("user")
    vault.send("s1", canary(), **{"user.id": "u-1"})
    vault.send("s2", canary(), **{"user.id": "u-2"})
    vault.send("s3", canary())
    keys = vault.stored_keys().values()
    assert sorted(key["per"] for key in keys) == ["session", "user", "user"]
    user_ref = next(r.event["user_ref"] for r in vault.records("operational") if r.key == "s1")
    told = vault.command("evidence", "erase", "--tenant", "acme", "--user-ref", user_ref,
                         "--reason", "article 17", "--yes")
    assert told.returncode == CLEAN, told.stdout + told.stderr
    code, report = vault.verify()
    assert code == CLEAN and (report["erased"], report["match"]) == (1, 2)
    told = vault.command("evidence", "erase", "--tenant", "acme", "--reason", "left", "--yes")
    assert told.returncode == CLEAN, told.stdout + told.stderr
    assert "acme-1" in told.stdout
    assert vault.verify()[1]["erased"] == 3
    assert vault.stored_keys() == {}


def test_nothing_is_erased_without_an_audit_record(make_vault) -> None:
    vault = make_vault("session")
    vault.send("s1", canary())
    vault.gateway.write_config({"exporters": {"kafka": {"topics": {"audit": "no.such.topic"}}}})
    told = vault.command("evidence", "erase", "--tenant", "acme", "--session", "s1",
                         "--reason", "x", "--yes")
    assert told.returncode == BROKEN, told.stdout + told.stderr
    assert "nothing was erased" in told.stderr
    assert len(vault.stored_keys()) == 1
    # Nor when nobody says yes.
    told = vault.command("evidence", "erase", "--tenant", "acme", "--session", "s1", "--reason", "x")
    assert told.returncode == FINDINGS and len(vault.stored_keys()) == 1


def test_a_new_tenant_key_wraps_and_the_old_one_still_opens(make_vault) -> None:
    vault = make_vault("session")
    vault.send("old", canary())
    vault.keys["acme"].insert(0, {"id": "acme-2", "key": os.urandom(32).hex()})
    vault.write_keys()
    assert post(vault.gateway.admin_port, b"", path="/-/reload").status == 200
    vault.send("new", canary())
    keys = {key["subject"]: key["wrapping_key_id"] for key in vault.stored_keys().values()}
    assert keys == {"old": "acme-1", "new": "acme-2"}
    code, report = vault.verify()
    assert code == CLEAN and report["decrypted"] == 2
    # Destroying the old key destroys what it wrapped; commitments hold.
    vault.keys["acme"].pop()
    vault.write_keys()
    code, report = vault.verify()
    assert code == CLEAN and report["decrypted"] == 1 and report["match"] == 2
    # A file that others may read is refused, and the old rules stay.
    vault.key_file.chmod(0o644)
    assert post(vault.gateway.admin_port, b"", path="/-/reload").status != 200
    vault.send("later", canary())
    assert vault.command("check").returncode == USAGE


def test_evidence_is_cut_to_what_the_topic_takes(kafka: KafkaBroker, make_stage) -> None:
    stage = make_stage(kafka)
    topic = stage.topics["evidence"]
    small = ConfigResource(ResourceType.TOPIC, topic)
    small.add_incremental_config(
        ConfigEntry("max.message.bytes", "65536", incremental_operation=AlterConfigOpType.SET))
    next(iter(kafka.admin().incremental_alter_configs([small]).values())).result()
    stage.gateway.terminate()
    stage.gateway.start().wait_until_ready()
    content = canary() + "x" * MIB
    post(stage.gateway.http_port, request([chat_span("cut", content=content)]).SerializeToString()).response()
    records = stage.reader.of_session("cut")
    assert len(records["evidence"]) > MIB // 65536
    assert all(len(record.raw) <= 65536 for record in records["evidence"])
    [payload] = contract.evidence_payloads(records["evidence"]).values()
    assert content in json.loads(json.loads(payload)[0]["content"])[0]["parts"][0]["content"]


def test_a_prompt_of_50_mib_is_stored_whole_and_its_event_with_it(kafka, make_stage) -> None:
    stage = make_stage(kafka, {
        "receivers": {"otlp": {"limits": {"request_bytes_max": "64MiB"}}},
        "memory_bytes_max": "512MiB", "ack_timeout": "25s",
    })
    content = canary() + " " + "0123456789abcdef" * (50 * MIB // 16)
    body = request([chat_span("vast", content=content)]).SerializeToString()
    started = time.monotonic()
    post(stage.gateway.http_port, body).response()
    seconds = time.monotonic() - started
    records = stage.reader.of_session("vast")
    assert len(records["operational"]) == 1 and len(records["detail"]) == 1
    assert len(records["detail"][0].raw) < 64 * 1024
    [payload] = contract.evidence_payloads(records["evidence"]).values()
    stored = next(json.loads(part["content"]) for part in json.loads(payload) if part["role"] == "prompt")
    assert stored[0]["parts"][0]["content"] == content
    resident = stage.gateway.resident_bytes()
    print(f"50 MiB: {seconds:.1f} s, {len(records['evidence'])} chunks, {resident / MIB:.0f} MiB resident")
    assert resident < 768 * MIB


def test_files_take_a_prompt_of_50_mib_as_well(tmp_path: pathlib.Path) -> None:
    config = {
        "receivers": {"otlp": {"limits": {"request_bytes_max": "64MiB"}}},
        "exporters": {"jsonl": {"directory": str(tmp_path / "data")}},
        "memory_bytes_max": "512MiB", "ack_timeout": "25s",
    }
    content = canary() + " " + "0123456789abcdef" * (50 * MIB // 16)
    body = request([chat_span("vast", content=content)]).SerializeToString()
    with Gateway(tmp_path / "gateway", config).start().wait_until_ready() as gateway:
        post(gateway.http_port, body).response()
        assert gateway.metrics().total("spangate_records_withdrawn_total") == 0
    chunks: dict[int, bytes] = {}
    with open(tmp_path / "data" / "evidence.jsonl", encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            if "chunk" in event:
                chunks[event["chunk"]] = base64.b64decode(event["payload"])
    payload = b"".join(chunks[index] for index in range(len(chunks)))
    stored = next(json.loads(part["content"]) for part in json.loads(payload) if part["role"] == "prompt")
    assert stored[0]["parts"][0]["content"] == content


def test_switched_off_evidence_leaves_nothing_behind(kafka: KafkaBroker, make_stage) -> None:
    stage = make_stage(kafka, {"processors": {
        "route": {"evidence": {"enabled": False}}, "redact": {"content_in_detail": "none"}}})
    secret = canary()
    post(stage.gateway.http_port, request([chat_span("off", content=secret)]).SerializeToString()).response()
    records = stage.reader.of_session("off")
    assert records["evidence"] == [] and len(records["detail"]) == 1
    for record in records["operational"] + records["detail"]:
        assert secret.encode() not in record.raw
        assert "evidence_commitment" not in record.event
        assert "evidence" not in record.event.get("classes", [])


def test_the_files_of_the_jsonl_sink_are_sealed_verified_and_erased(tmp_path: pathlib.Path) -> None:
    key_file = tmp_path / "keys.yaml"
    key_file.write_text(json.dumps({"tenants": {"default": [{"id": "d1", "key": os.urandom(32).hex()}]}}))
    key_file.chmod(0o600)
    data = tmp_path / "data"
    config = {
        "processors": {"route": {"evidence": {"encrypt": {"key_file": str(key_file), "per": "session"}}},
                       "redact": {"content_in_detail": "none"}},
        "exporters": {"jsonl": {"directory": str(data)}},
    }
    secret = canary()
    with Gateway(tmp_path / "gateway", config).start().wait_until_ready() as gateway:
        for session_id in ("a", "b", "a"):
            made = request([chat_span(session_id, content=secret)])
            post(gateway.http_port, made.SerializeToString()).response()
        keys = data / "evidence-keys.jsonl"
        assert keys.stat().st_mode & 0o777 == 0o600
        assert len(keys.read_text().splitlines()) == 2
        assert all(secret.encode() not in file.read_bytes() for file in data.iterdir())
        verify = ["evidence", "verify", "--from", str(data), "--key-file", str(key_file), "--json"]
        report = json.loads(run(*verify).stdout)
        assert report["match"] == 3 == report["decrypted"]
        wrapped = [json.loads(line)["wrapped"] for line in keys.read_text().splitlines()]
        told = run("evidence", "erase", "--config", str(gateway.config_file), "--tenant", "default",
                   "--session", "a", "--reason", "asked to", "--yes")
        assert told.returncode == CLEAN, told.stdout + told.stderr
        assert wrapped[0] not in keys.read_text() and wrapped[1] in keys.read_text()
        assert json.loads((data / "audit.jsonl").read_text())["subject"] == "a"
        told = run(*verify)
        report = json.loads(told.stdout)
        assert told.returncode == CLEAN and (report["erased"], report["match"]) == (2, 1)
        until_retired(gateway, 1)
        post(gateway.http_port, request([chat_span("a", content=secret)]).SerializeToString()).response()
        report = json.loads(run(*verify).stdout)
        assert (report["erased"], report["match"], report["decrypted"]) == (2, 2, 2)
        # Files do not tell whether others were deleted.
        for file in data.glob("evidence.jsonl"):
            file.unlink()
        told = run(*verify)
        assert told.returncode == FINDINGS
        assert "cannot be known here" in json.loads(told.stdout)["findings"][0]["text"]
        assert run("evidence", "verify", "--from", str(tmp_path / "none")).returncode == BROKEN
