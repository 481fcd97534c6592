"""The same load, faults and oracle for ours and for the OpenTelemetry Collector, side by side.

    make faults-peer COLLECTOR=path/of/a/collector/with/the/kafka/exporter

Not collected with the other tests (it needs that binary). Ours must lose nothing; the Collector's
figures are only told.
"""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any, Callable, Iterator

import pytest

from collector import CollectorTrial
from conftest import Lone
from trial import Trial

ARMS = ("spangate", "Collector, memory queue", "Collector, file_storage queue")
Begin = Callable[[str], "Trial | CollectorTrial"]


@pytest.fixture()
def begin(lone: Lone, tmp_path: pathlib.Path, make_trial: Callable[..., Trial],
          request: pytest.FixtureRequest) -> Iterator[Begin]:
    started: list[CollectorTrial] = []

    def start(arm: str) -> Trial | CollectorTrial:
        if arm == "spangate":
            return make_trial(lone.cluster).begin()
        trial = CollectorTrial(
            lone.cluster, tmp_path / "peer", f"peer{abs(hash(request.node.name))}",
            os.environ["COLLECTOR"], has_storage="file_storage" in arm)
        started.append(trial)
        return trial.begin()

    yield start
    for trial in started:
        trial.end()


@pytest.mark.parametrize("arm", ARMS)
def test_broker_killed(arm: str, lone: Lone, begin: Begin, compared: Any) -> None:
    trial = begin(arm)
    trial.sending.wait_for_spans(300)
    lone.cluster.kill()
    lone.cluster.resume()
    trial.sending.wait_for_spans(300)
    compared(trial, "broker SIGKILL, back", arm)


@pytest.mark.parametrize("arm", ARMS)
def test_broker_stands_still(arm: str, lone: Lone, begin: Begin, compared: Any) -> None:
    trial = begin(arm)
    trial.sending.wait_for_spans(300)
    lone.cluster.pause()
    try:
        time.sleep(30)
    finally:
        lone.cluster.unpause()
    trial.sending.wait_for_spans(300, 60)
    compared(trial, "broker SIGSTOP 30 s", arm)


@pytest.mark.parametrize("arm", ARMS)
def test_killed_while_the_broker_is_away(arm: str, lone: Lone, begin: Begin, compared: Any) -> None:
    trial = begin(arm)
    trial.sending.wait_for_spans(300)
    lone.cluster.kill()
    time.sleep(5)
    trial.restart_killed()
    time.sleep(2)
    lone.cluster.resume()
    trial.sending.wait_for_spans(300, 60)
    compared(trial, "SIGKILL with the broker away", arm)
