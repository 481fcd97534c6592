"""The judge: reads every topic to its end and holds it against what the sender was told.

What must be true whatever broke in between (contract §8):
  - every event of an acknowledged request is there, evidence with all its chunks;
  - of a request that was refused for good every event is there or in the dead letters;
  - the first appearances of a session's acknowledged events are, per class, in the order of their
    numbers, and in the order in which the requests were sent;
  - a repeat is the same event: same id for the same place in the same span, same content;
  - every hole in the numbers is told by a gateway_gap.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
from typing import Any, Iterable

from journal import Journal, Request
from topic_reader import CLASSES, Record, TopicReader

SHOWN_MAX = 5
# Where two copies of an event may differ (contract §6).
VOLATILE = {
    "ts_received", "gateway_id", "gateway_epoch", "gateway_seq", "salt", "commitment", "payload",
    "parts", "evidence_commitment", "session_id", "session_source", "counted", "twin_of",
}


@dataclasses.dataclass(slots=True)
class Seen:
    """What is kept of one record."""

    event_class: str
    partition: int
    offset: int
    event_id: str
    event_type: str
    span_id: str
    session_id: str
    counter: tuple[str, str, int]  # gateway, tenant and session, epoch: whose number it is
    number: int
    chunk: int
    chunks: int
    told: range  # the numbers that a gateway_gap tells
    content: bytes  # digest of all that two copies share


def seen(record: Record) -> Seen:
    event = record.event
    shared = {key: value for key, value in event.items() if key not in VOLATILE}
    told = range(0)
    if event["event_type"] == "gateway_gap":
        told = range(event["seq_from"], event["seq_to"] + 1)
    return Seen(
        record.event_class, record.partition, record.offset, event["event_id"], event["event_type"],
        event.get("span_id", ""), event["session_id"],
        (event["gateway_id"], f"{event['tenant_id']}/{event['session_id']}", event["gateway_epoch"]),
        event["gateway_seq"], event.get("chunk", 0), event.get("chunks", 1), told,
        hashlib.blake2b(json.dumps(shared, sort_keys=True).encode(), digest_size=8).digest(),
    )


class OracleReader(TopicReader):
    """Keeps a few fields of each record, not its bytes: long runs fit into memory."""

    def __init__(self, bootstrap: str, topics: dict[str, str]) -> None:
        self.seen: list[Seen] = []
        super().__init__(bootstrap, topics)

    def keep(self, record: Record) -> None:
        self.seen.append(seen(record))


@dataclasses.dataclass
class Verdict:
    acknowledged: int = 0  # events that a success reply covers, over all classes
    missing: list[str] = dataclasses.field(default_factory=list)
    missing_of: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)
    duplicates: int = 0
    unequal_duplicates: list[str] = dataclasses.field(default_factory=list)
    disorder: list[str] = dataclasses.field(default_factory=list)
    holes: list[str] = dataclasses.field(default_factory=list)
    gaps_told: int = 0  # gateway_gap events
    numbers_told: int = 0  # the numbers they cover
    strangers: list[str] = dataclasses.field(default_factory=list)  # events nobody sent
    dead_lettered: int = 0  # events that stand in the dead letters instead

    def faults(self, may_lose: dict[str, int] | None = None) -> list[str]:
        """`may_lose`: how many events of each class were destroyed on disk, at most."""
        names = ["missing", "unequal_duplicates", "disorder", "holes", "strangers"]
        if may_lose and all(count <= may_lose.get(name, 0) for name, count in self.missing_of.items()):
            names.remove("missing")
            names.remove("holes")
        found = []
        for name in names:
            what = getattr(self, name)
            if what:
                found.append(f"{name}: {len(what)}, first {what[:SHOWN_MAX]}")
        return found


class Oracle:
    """`exempt`: per class, the end of a time in which acknowledged data was destroyed on purpose (its
    topic was deleted); requests first sent before it are not expected in that class.
    `keeps_order`: false where the contract promises none (partitions were added)."""

    def __init__(self, journal: Journal, *, exempt: dict[str, float] | None = None,
                 keeps_order: bool = True) -> None:
        self._exempt, self._keeps_order = exempt or {}, keeps_order
        self._expected: dict[tuple[str, str], Request] = {}  # class and event id
        for request in journal.requests.values():
            for event_class in CLASSES:
                for event_id in request.event_ids(event_class):
                    self._expected[event_class, event_id] = request

    def judge(self, records: Iterable[Seen], dead_letters: Iterable[dict[str, Any]] = ()) -> Verdict:
        verdict = Verdict()
        ordered = sorted(records, key=lambda r: (r.event_class, r.partition, r.offset))
        self._look_for_missing(ordered, dead_letters, verdict)
        self._look_at_copies(ordered, verdict)
        if self._keeps_order:
            self._look_at_order(ordered, verdict)
        self._look_for_holes(ordered, verdict)
        return verdict

    def _is_due(self, event_class: str, request: Request) -> bool:
        is_answered = request.acknowledged_at is not None or request.gave_up
        return is_answered and request.sent_at >= self._exempt.get(event_class, 0)

    def _look_for_missing(self, records: list[Seen], dead_letters: Iterable[dict[str, Any]],
                          verdict: Verdict) -> None:
        chunks: dict[tuple[str, str], dict[tuple, set[int]]] = {}
        wanted: dict[tuple[str, str], int] = {}
        for record in records:
            place = record.event_class, record.event_id
            telling = (*record.counter, record.number)
            chunks.setdefault(place, {}).setdefault(telling, set()).add(record.chunk)
            wanted[place] = record.chunks
        whole = {place for place, tellings in chunks.items()
                 if any(len(found) == wanted[place] for found in tellings.values())}
        dead = {(letter.get("class"), letter.get("event_id")) for letter in dead_letters}
        for place, request in self._expected.items():
            if not self._is_due(place[0], request):
                continue
            verdict.acknowledged += not request.gave_up
            if place in whole:
                continue
            if place in dead:
                verdict.dead_lettered += 1
                if not request.gave_up and not request.rejected:
                    verdict.missing.append(f"{place} is a dead letter, its client was not told")
                continue
            verdict.missing_of[place[0]] += 1
            part = "in part" if place in chunks else "at all"
            verdict.missing.append(f"{place} of {request.session} #{request.number}, not {part}")

    def _look_at_copies(self, records: list[Seen], verdict: Verdict) -> None:
        contents: dict[tuple, bytes] = {}
        ids: dict[tuple, str] = {}
        for record in records:
            if record.event_type in ("gateway_gap", "session_alias"):
                continue
            place = record.event_class, record.event_id
            if place not in self._expected:
                verdict.strangers.append(f"{place} {record.event_type} {record.session_id}")
                continue
            known = ids.setdefault((record.event_class, record.span_id, record.event_type),
                                   record.event_id)
            if known != record.event_id:
                verdict.unequal_duplicates.append(f"{record.span_id}: {known}, {record.event_id}")
            copy = (*place, record.chunk)
            if copy not in contents:
                contents[copy] = record.content
                continue
            verdict.duplicates += 1
            if contents[copy] != record.content:
                verdict.unequal_duplicates.append(f"{copy} at {record.partition}/{record.offset}")

    def _look_at_order(self, records: list[Seen], verdict: Verdict) -> None:
        last_number: dict[tuple, int] = {}
        last_request: dict[tuple, int] = {}
        appeared: set[tuple] = set()
        for record in records:
            place = record.event_class, record.event_id
            request = self._expected.get(place)
            if request is None or request.acknowledged_at is None:
                continue
            if (*place, record.chunk) in appeared:
                continue
            appeared.add((*place, record.chunk))
            counter = record.event_class, record.counter
            if record.number < last_number.get(counter, 0):
                verdict.disorder.append(
                    f"{counter}: {record.number} after {last_number[counter]}")
            last_number[counter] = record.number
            session = record.event_class, record.session_id
            if request.number < last_request.get(session, 0):
                verdict.disorder.append(
                    f"{session}: request {request.number} after {last_request[session]}")
            last_request[session] = request.number

    @staticmethod
    def _look_for_holes(records: list[Seen], verdict: Verdict) -> None:
        numbers: dict[tuple, set[int]] = collections.defaultdict(set)
        for record in records:
            if record.event_class != "operational":
                continue
            numbers[record.counter].add(record.number)
            if record.event_type == "gateway_gap":
                verdict.gaps_told += 1
                verdict.numbers_told += len(record.told)
                numbers[record.counter].update(record.told)
        for counter, found in numbers.items():
            lacking = set(range(1, max(found) + 1)) - found
            if lacking:
                verdict.holes.append(f"{counter}: {sorted(lacking)[:SHOWN_MAX]} ({len(lacking)})")
