"""The event contract as a reader needs it: field names from the schema, checks that hold always."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Iterable

from event_message import PROTO
from topic_reader import Record

DETAIL_FROM = 200  # field numbers of proto/spangate/v1/events.proto
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$")
HEADER_ALWAYS = {
    "schema_version", "event_id", "event_class", "event_type", "timestamp", "time_source",
    "ts_received", "tenant_id", "session_id", "session_source", "gateway_id", "gateway_epoch",
    "gateway_seq", "source", "rules", "digest_key_id",
}


def operational_fields() -> set[str]:
    """The fixed list: every field of the header and of the operational part."""
    body = PROTO.read_text().split("message Event {", 1)[1].split("\n}", 1)[0]
    found = re.findall(r"^\s+(?:optional|repeated)\s+\w+\s+(\w+)\s*=\s*(\d+);", body, re.MULTILINE)
    return {name for name, number in found if int(number) < DETAIL_FROM}


def evidence_payloads(records: Iterable[Record]) -> dict[tuple, bytes]:
    """The payloads of unencrypted evidence, put together from their chunks and verified.

    One entry per telling: a resent span has the same event_id and another gateway_seq.
    """
    chunks: dict[tuple, dict[int, dict[str, Any]]] = {}
    for record in records:
        event = record.event
        telling = (event["event_id"], event["gateway_epoch"], event["gateway_seq"])
        chunks.setdefault(telling, {})[event["chunk"]] = event
    return {telling: _joined(telling[0], parts) for telling, parts in chunks.items()}


def _joined(event_id: str, parts: dict[int, dict[str, Any]]) -> bytes:
    count = parts[0]["chunks"]
    assert sorted(parts) == list(range(count)), f"{event_id} has chunks {sorted(parts)} of {count}"
    root = hashlib.sha256(b"spangate/evidence-root/1\0")
    payload = b""
    for index in range(count):
        piece = base64.b64decode(parts[index]["payload"])
        salt = base64.b64decode(parts[index]["salt"])
        assert len(salt) == 32
        leaf = hashlib.sha256(b"spangate/evidence/1\0" + event_id.encode()
                              + index.to_bytes(4, "big") + count.to_bytes(4, "big") + salt + piece)
        root.update(leaf.digest())
        payload += piece
    assert parts[0]["commitment"] == root.hexdigest(), f"{event_id}: the commitment does not fit"
    json.loads(payload)
    return payload


def check_record(record: Record, fields: set[str]) -> None:
    """What holds for every record of every class."""
    event = record.event
    assert record.key == event["session_id"]
    assert record.event_class == event["event_class"]
    assert record.headers == {"event_type": event["event_type"], "event_id": event["event_id"]}
    assert HEADER_ALWAYS <= event.keys(), HEADER_ALWAYS - event.keys()
    assert event["schema_version"] == 1
    assert re.fullmatch(r"[0-9a-f]{32}", event["event_id"])
    assert TIME.match(event["timestamp"]) and TIME.match(event["ts_received"])
    assert event["gateway_seq"] >= 1
    if record.event_class == "operational":
        assert event.keys() <= fields, f"outside the contract: {event.keys() - fields}"


def check_classes_agree(records: Iterable[Record]) -> None:
    """Detail and evidence belong to the primary event; the others name it."""
    ids: dict[str, set[str]] = {"operational": set(), "detail": set(), "evidence": set()}
    named = set()
    for record in records:
        event = record.event
        if event["source"] == "gateway":
            continue
        ids[record.event_class].add(event["event_id"])
        if record.event_class == "operational" and "primary_event_id" in event:
            named.add(event["primary_event_id"])
    assert ids["detail"] <= ids["operational"]
    assert ids["evidence"] <= ids["detail"]
    assert named <= ids["detail"]


def check_partitions(records: Iterable[Record]) -> None:
    """A session has the same partition in each topic."""
    places: dict[str, set[int]] = {}
    for record in records:
        places.setdefault(record.key, set()).add(record.partition)
    split = {key: where for key, where in places.items() if len(where) > 1}
    assert not split


def unexplained_holes(records: Iterable[Record]) -> list[str]:
    """Numbers of operational events that neither came nor are told by a gateway_gap."""
    seen: dict[tuple, set[int]] = {}
    for record in records:
        event = record.event
        if record.event_class != "operational":
            continue
        counter = (event["gateway_id"], event["tenant_id"], event["session_id"], event["gateway_epoch"])
        numbers = seen.setdefault(counter, set())
        numbers.add(event["gateway_seq"])
        if event["event_type"] == "gateway_gap":
            numbers.update(range(event["seq_from"], event["seq_to"] + 1))
    return [
        f"{counter}: {sorted(set(range(1, max(numbers) + 1)) - numbers)}"
        for counter, numbers in seen.items() if len(numbers) != max(numbers)
    ]


def order_faults(records: Iterable[Record], accepted: set[str]) -> list[str]:
    """First appearances of accepted events that are not in the order of their numbers."""
    last: dict[tuple, int] = {}
    seen: set[tuple] = set()
    faults = []
    for record in sorted(records, key=lambda r: (r.event_class, r.partition, r.offset)):
        event = record.event
        if event["event_id"] not in accepted:
            continue
        telling = (record.event_class, event["event_id"], event.get("chunk", 0))
        if telling in seen:
            continue
        seen.add(telling)
        counter = (record.event_class, event["gateway_id"], event["session_id"], event["gateway_epoch"])
        if event["gateway_seq"] < last.get(counter, 0):
            faults.append(f"{counter}: {event['gateway_seq']} after {last[counter]}")
        last[counter] = event["gateway_seq"]
    return faults
