"""The judge is judged: every kind of wrong is planted once and must be found; no wrong is invented."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

from journal import Journal, Request
from oracle import Oracle, Seen, Verdict, seen
from topic_reader import CLASSES, Record

REQUESTS = 4


def journal(tmp_path: Any) -> Journal:
    made = Journal(tmp_path / "none")
    for number in range(REQUESTS):
        request = Request("s", number, number, f"{number:032x}",
                          [(f"{number:015x}a", "chat"), (f"{number:015x}b", "tool")])
        request.acknowledged_at = number + 0.5
        made.requests["s", number] = request
    return made


def event(event_class: str, event_id: str, number: int, **over: Any) -> dict[str, Any]:
    return {"event_class": event_class, "event_id": event_id, "event_type": "inference",
            "span_id": event_id[:16], "session_id": "s", "tenant_id": "default", "gateway_id": "g",
            "gateway_epoch": 1, "gateway_seq": number, "chunk": 0, "chunks": 1} | over


def delivered(told: Journal) -> dict[str, list[dict[str, Any]]]:
    """What a gateway without fault puts on one partition of each topic."""
    made: dict[str, list[dict[str, Any]]] = {}
    for event_class in CLASSES:
        ids = [event_id for request in told.requests.values()
               for event_id in request.event_ids(event_class)]
        made[event_class] = [event(event_class, event_id, at + 1) for at, event_id in enumerate(ids)]
    return made


def as_seen(events: dict[str, list[dict[str, Any]]]) -> list[Seen]:
    return [seen(Record(event_class, 0, offset, "s", {}, 0, json.dumps(one).encode()))
            for event_class, found in events.items() for offset, one in enumerate(found)]


def lose(events: list[dict[str, Any]]) -> None:
    del events[2]


def lose_a_chunk(events: list[dict[str, Any]]) -> None:
    events[2]["chunks"] = 2


def swap(events: list[dict[str, Any]]) -> None:
    events[1], events[2] = events[2], events[1]


def renumber_and_swap_requests(events: list[dict[str, Any]]) -> None:
    events[0], events[-1] = events[-1], events[0]
    for at, one in enumerate(events):
        one["gateway_seq"] = at + 1


def leave_a_hole(events: list[dict[str, Any]]) -> None:
    for one in events[2:]:
        one["gateway_seq"] += 3


def repeat_changed(events: list[dict[str, Any]]) -> None:
    events.append(events[0] | {"gateway_seq": len(events) + 1, "model": "other"})


def repeat_under_another_id(events: list[dict[str, Any]]) -> None:
    events.append(events[0] | {"gateway_seq": len(events) + 1, "event_id": events[1]["event_id"]})


def add_a_stranger(events: list[dict[str, Any]]) -> None:
    events.append(event("operational", "f" * 32, len(events) + 1))


def judge(told: Journal, events: dict[str, list[dict[str, Any]]], **options: Any) -> Verdict:
    return Oracle(told, **options).judge(as_seen(events))


def test_what_is_right_is_not_blamed(tmp_path: Any) -> None:
    told = journal(tmp_path)
    verdict = judge(told, delivered(told))
    assert verdict.faults() == []
    assert verdict.acknowledged == REQUESTS * (3 + 2 + 2) and verdict.duplicates == 0


@pytest.mark.parametrize("wrong, found", [
    (lose, "missing"), (lose_a_chunk, "missing"), (swap, "disorder"),
    (renumber_and_swap_requests, "disorder"), (leave_a_hole, "holes"),
    (repeat_changed, "unequal_duplicates"), (repeat_under_another_id, "unequal_duplicates"),
    (add_a_stranger, "strangers"),
])
def test_each_wrong_is_found(wrong: Callable, found: str, tmp_path: Any) -> None:
    told = journal(tmp_path)
    events = delivered(told)
    wrong(events["operational"])
    assert getattr(judge(told, events), found)


def test_a_repeat_is_counted_and_no_fault(tmp_path: Any) -> None:
    told = journal(tmp_path)
    events = delivered(told)
    last = len(events["operational"])
    events["operational"].append(events["operational"][0] | {"gateway_seq": last + 1})
    verdict = judge(told, events)
    assert verdict.faults() == [] and verdict.duplicates == 1


def test_a_told_gap_explains_a_hole(tmp_path: Any) -> None:
    told = journal(tmp_path)
    events = delivered(told)
    leave_a_hole(events["operational"])
    last = events["operational"][-1]["gateway_seq"]
    events["operational"].append(event("operational", "e" * 32, last + 1, event_type="gateway_gap",
                                       seq_from=3, seq_to=5))
    verdict = judge(told, events)
    assert verdict.faults() == [] and verdict.numbers_told == 3


def test_a_dead_letter_stands_for_its_event_when_the_client_was_told(tmp_path: Any) -> None:
    told = journal(tmp_path)
    events = delivered(told)
    letter = {"class": "detail", "event_id": events["detail"].pop(0)["event_id"]}
    assert Oracle(told).judge(as_seen(events), [letter]).missing
    told.requests["s", 0].gave_up, told.requests["s", 0].acknowledged_at = True, None
    verdict = Oracle(told).judge(as_seen(events), [letter])
    assert verdict.faults() == [] and verdict.dead_lettered == 1


def test_what_went_with_a_deleted_topic_is_not_missing(tmp_path: Any) -> None:
    told = journal(tmp_path)
    events = delivered(told)
    del events["detail"][:2]  # of the first request
    assert judge(told, events).missing
    assert judge(told, events, exempt={"detail": 1.0}).faults() == []
