"""Reads the three topics back, as any consumer would."""

from __future__ import annotations

import dataclasses
import json
import time
from typing import Any, Callable

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from event_message import scalars

CLASSES = ("operational", "detail", "evidence")
READ_TIMEOUT_S = 30
PASSES_MAX = 3


@dataclasses.dataclass(frozen=True)
class Record:
    event_class: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    timestamp_ms: int
    raw: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.raw) if self.raw.startswith(b"{") else scalars(self.raw)


class TopicReader:
    """Keeps everything read so far; refresh() reads on to what the broker holds now.

    `settle` is called first by it: what a client was told is safe may still lie in the spool.
    """

    def __init__(self, bootstrap: str, topics: dict[str, str],
                 settle: Callable[[], None] = lambda: None) -> None:
        self._topics = topics
        self._settle = settle
        self._class_of = {topic: name for name, topic in topics.items()}
        self._consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": "spangate-tests", "log_level": 0,
            "enable.auto.commit": False, "enable.auto.offset.store": False,
            "fetch.wait.max.ms": 20, "check.crcs": True,
        })
        self._next: dict[tuple[str, int], int] = {}
        self._read = 0
        self.records: list[Record] = []
        metadata = self._consumer.list_topics(timeout=READ_TIMEOUT_S)
        for topic in topics.values():
            for partition in metadata.topics[topic].partitions:
                self._next[topic, partition] = 0
        self._consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in self._next])

    def refresh(self) -> list[Record]:
        """Reads to the current end of every partition; returns all records since the start."""
        # The ends of the partitions are asked for one after the other: what came meanwhile may be
        # there in one class and not yet in another.
        for _ in range(PASSES_MAX):
            self._settle()
            read = self._read
            self._read_on()
            if self._read == read:
                break
        return self.records

    def _read_on(self) -> list[Record]:
        deadline = time.monotonic() + READ_TIMEOUT_S
        ends = {place: self._end_of(place, deadline) for place in self._next}
        while any(self._next[place] < end for place, end in ends.items()):
            assert time.monotonic() < deadline, "the topics could not be read to their ends"
            for message in self._consumer.consume(500, timeout=0.2):
                if message.error() is None:
                    self._take(message)
                    deadline = time.monotonic() + READ_TIMEOUT_S  # hours of records take a while
                elif not message.error().retriable():
                    raise KafkaException(message.error())
        return self.records

    def wait_for(self, condition: Callable[[list[Record]], bool], timeout_s: float = 15) -> list[Record]:
        deadline = time.monotonic() + timeout_s
        while not condition(self._read_on()):
            assert time.monotonic() < deadline, "the awaited records did not come"
            time.sleep(0.1)
        return self.records

    def of_session(self, session_id: str) -> dict[str, list[Record]]:
        """The session's records by class, as of now."""
        found: dict[str, list[Record]] = {name: [] for name in CLASSES}
        for record in self.refresh():
            if record.key == session_id:
                found[record.event_class].append(record)
        return found

    def close(self) -> None:
        self._consumer.close()

    def keep(self, record: Record) -> None:
        """Takes each record once; who reads more than fits into memory keeps less of it."""
        self.records.append(record)

    def _end_of(self, place: tuple[str, int], deadline: float) -> int:
        # A broker that has just come back may not lead its partitions yet.
        while True:
            try:
                return self._consumer.get_watermark_offsets(TopicPartition(*place), timeout=5)[1]
            except KafkaException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _take(self, message: Any) -> None:
        topic, partition = message.topic(), message.partition()
        self._next[topic, partition] = message.offset() + 1
        self._read += 1
        self.keep(Record(
            event_class=self._class_of[topic],
            partition=partition,
            offset=message.offset(),
            key=(message.key() or b"").decode(),
            headers={name: value.decode() for name, value in message.headers() or []},
            timestamp_ms=message.timestamp()[1],
            raw=message.value() or b"",
        ))
