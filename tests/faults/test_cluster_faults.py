"""Three brokers, a record on at least two: leaders move, nodes die, too few are left."""

from __future__ import annotations

import signal
import time
from typing import Any, Callable

from confluent_kafka import ElectionType

from kafka_cluster import KafkaCluster
from trial import Scale, Trial

Make = Callable[..., Trial]
Judge = Callable[..., Any]


def elect_preferred(cluster: KafkaCluster) -> None:
    """Every partition goes back to its first replica, as soon as that one has caught up."""
    deadline = time.monotonic() + 30
    while True:
        elected = cluster.admin().elect_leaders(ElectionType.PREFERRED, None).result()
        told = {failure.name() for failure in elected.values() if failure is not None}
        if told <= {"ELECTION_NOT_NEEDED"}:
            return
        assert time.monotonic() < deadline, told
        time.sleep(0.2)


def test_leaders_move_again_and_again(
        trio: KafkaCluster, make_trial: Make, judged: Judge, scale: Scale) -> None:
    """A node ends in good order or dies: its partitions get other leaders, then their own again."""
    trial = make_trial(trio).begin()
    rounds = scale.of(2, 30)
    for number in range(rounds):
        node = trio.nodes[number % 3]
        node.end(signal.SIGKILL if number % 2 else signal.SIGTERM)
        trial.run_for(scale.of(1, 3))
        trio.resume_nodes([node])
        elect_preferred(trio)
        trial.run_for(1)
    trial.healed()
    trial.wait_for_spans(200)
    figures = judged(trial, "R-25", f"leaders move, {rounds} nodes ended and back")
    assert figures.refused == 0


def test_one_replica_is_not_enough(
        trio: KafkaCluster, make_trial: Make, judged: Judge, scale: Scale) -> None:
    """Two of three stand still: nothing is acknowledged by Kafka until one is back."""
    trial = make_trial(trio).begin()
    for node in trio.nodes[1:]:
        node.signal(signal.SIGSTOP)
    try:
        trial.run_for(scale.of(5, 60))
    finally:
        for node in trio.nodes[1:]:
            node.signal(signal.SIGCONT)
    trial.healed()
    trial.wait_for_spans(200, 60)
    figures = judged(trial, "R-25", "two of three brokers stand still")
    assert figures.refused == 0
