"""What the sender's journal promises: which events must be on the topics, and of what request."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import pathlib
from typing import Any

# The slots of the contract (§3) of which each kind of span makes events, by class.
SLOTS = {
    "chat": {"operational": ("end",), "detail": ("end",), "evidence": ("end",)},
    "tool": {"operational": ("start", "end"), "detail": ("end",), "evidence": ("end",)},
}


def event_id(trace: bytes, span_id: bytes, slot: str) -> str:
    made = hashlib.sha256(b"spangate/event/1\0" + trace + span_id + slot.encode())
    return made.hexdigest()[:32]


@dataclasses.dataclass
class Request:
    """One request of a session; `number` is its place among the session's."""

    session: str
    number: int
    sent_at: float
    trace: str
    spans: list[tuple[str, str]]  # span id, kind
    acknowledged_at: float | None = None
    rejected: int = 0  # the answer's partial_success
    gave_up: bool = False  # the answer was one after which nobody repeats

    def event_ids(self, event_class: str) -> list[str]:
        trace = bytes.fromhex(self.trace)
        return [event_id(trace, bytes.fromhex(span_id), slot)
                for span_id, kind in self.spans for slot in SLOTS[kind][event_class]]


class Journal:
    """Reads what is there so far; refresh() reads on."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._read_bytes = 0
        self.requests: dict[tuple[str, int], Request] = {}
        self.acknowledged_spans = 0
        self.attempts = 0
        self.replies: dict[str, int] = {}
        self.latencies: dict[str, float] = {}

    def refresh(self) -> Journal:
        if not self._path.exists():
            return self
        with open(self._path, "rb") as file:
            file.seek(self._read_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read_bytes += len(line)
                self._take(json.loads(line))
        return self

    def acknowledged(self) -> list[Request]:
        return [r for r in self.requests.values() if r.acknowledged_at is not None]

    def refused(self) -> int:
        """Answers that told the client to come back."""
        return sum(self.replies.get(name, 0) for name in ("429", "503", "UNAVAILABLE"))

    def final_refusals(self) -> dict[str, int]:
        """Answers after which a client gives its data up; none of them is right for a fault."""
        fine = ("200", "429", "502", "503", "504", "UNAVAILABLE", "DEADLINE_EXCEEDED", "no reply",
                "reply lost")
        return {name: count for name, count in self.replies.items() if name not in fine}

    def _take(self, line: list[Any]) -> None:
        what = line[0]
        if what == "sent":
            _, session, number, at, trace, spans = line
            told = [(span_id, kind) for span_id, kind in spans]
            self.requests[session, number] = Request(session, number, at, trace, told)
        elif what == "ack":
            _, session, number, at, attempts, _, rejected = line
            request = self.requests[session, number]
            request.acknowledged_at, request.rejected = at, rejected
            self.acknowledged_spans += len(request.spans)
            self.attempts += attempts
        elif what == "gave up":
            self.requests[line[1], line[2]].gave_up = True
        else:
            for name, count in line[1].items():
                self.replies[name] = self.replies.get(name, 0) + count
            self.latencies = line[2]
