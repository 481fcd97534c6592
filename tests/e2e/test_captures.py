"""What real clients sent, sent again: nothing rejected, nothing leaked, nothing lost."""

from __future__ import annotations

import collections
from typing import Callable

import pytest

import captured
import contract
from kafka_cluster import KafkaBroker
from stage import Stage
from topic_reader import Record

CAPTURE_NAMES = sorted({body.capture for body in captured.bodies()})


class Sent:
    """All captured trace bodies, sent once, and every record they made."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.bodies = captured.bodies()
        self.rejected = {
            f"{body.capture}/{body.file}": body.send(stage.gateway.http_port, stage.grpc)
            for body in self.bodies
        }
        self.records = list(stage.reader.refresh())
        self.metrics = stage.gateway.metrics()
        self._by_trace: dict[str, list[Record]] = collections.defaultdict(list)
        for record in self.records:
            self._by_trace[record.event.get("trace_id", "")].append(record)

    def of_capture(self, name: str) -> list[Record]:
        traces = set().union(*(b.trace_ids() for b in self.bodies if b.capture == name))
        return [record for trace in traces for record in self._by_trace[trace]]


@pytest.fixture(scope="module")
def sent(kafka: KafkaBroker, make_stage: Callable[..., Stage]) -> Sent:
    return Sent(make_stage(kafka, {
        "receivers": {"otlp": {"protocols": {"http": {"path_prefixes": ["/api/public/otel"]}}}}}))


def test_no_span_is_rejected(sent: Sent) -> None:
    assert not {name: count for name, count in sent.rejected.items() if count}


def test_every_span_is_accepted_and_accounted_for(sent: Sent) -> None:
    spans = sum(body.spans for body in sent.bodies)
    assert sent.metrics.total("spangate_items_received_total", signal="traces") == spans
    assert sent.metrics.total("spangate_items_accepted_total") == spans
    assert sent.metrics.faults() == []


def test_a_session_has_one_partition_in_all_topics(sent: Sent) -> None:
    contract.check_partitions(sent.records)
    assert len({record.partition for record in sent.records}) == 6


def test_every_record_keeps_the_contract(sent: Sent) -> None:
    fields = contract.operational_fields()
    for record in sent.records:
        contract.check_record(record, fields)


def test_detail_and_evidence_belong_to_a_primary_event(sent: Sent) -> None:
    contract.check_classes_agree(sent.records)


def test_sequence_numbers_have_no_unexplained_holes(sent: Sent) -> None:
    assert contract.unexplained_holes(sent.records) == []


def test_evidence_is_whole_and_fits_its_commitment(sent: Sent) -> None:
    evidence = [record for record in sent.records if record.event_class == "evidence"]
    commitments = {record.event["event_id"]: record.event["commitment"] for record in evidence}
    assert contract.evidence_payloads(evidence)
    for record in sent.records:
        if record.event_class == "detail" and "evidence_commitment" in record.event:
            assert record.event["event_id"] in commitments


@pytest.mark.parametrize("capture", CAPTURE_NAMES)
def test_no_secret_leaves_evidence(sent: Sent, capture: str) -> None:
    leaks = collections.Counter()
    for record in sent.of_capture(capture):
        if record.event_class == "evidence":
            continue
        for name, secret in captured.SECRETS.items():
            if secret.encode() in record.raw:
                leaks[record.event_class, name] += 1
    assert not leaks


@pytest.mark.parametrize("capture", CAPTURE_NAMES)
def test_every_secret_sent_stands_in_evidence(sent: Sent, capture: str) -> None:
    expected = {name for body in sent.bodies if body.capture == capture for name in body.secrets}
    evidence = [r for r in sent.of_capture(capture) if r.event_class == "evidence"]
    text = b"".join(contract.evidence_payloads(evidence).values())
    missing = {name for name in expected if captured.SECRETS[name].encode() not in text}
    assert not missing


def test_logs_and_metrics_hold_no_secret(sent: Sent) -> None:
    for text in (sent.stage.gateway.log(), sent.metrics.text):
        assert not [name for name, secret in captured.SECRETS.items() if secret in text]


def test_usage_counts_once(sent: Sent) -> None:
    """Tokens stand with `counted`; what tells a sum of other events' tokens does not count."""
    for record in sent.records:
        event = record.event
        if record.event_class == "operational" and "tokens_prompt" in event:
            assert "counted" in event and "usage_role" in event


@pytest.mark.parametrize("signal", ["logs", "metrics"])
def test_other_signals_of_the_same_clients_are_answered_with_success(sent: Sent, signal: str) -> None:
    """A client that exports all three to one address must not see errors for the other two."""
    for body in captured.bodies(signal):
        assert body.send(sent.stage.gateway.http_port, sent.stage.grpc) == 0
