"""The broker hurt under load: killed, paused, restarted, away for long. Nothing acknowledged is lost."""

from __future__ import annotations

from typing import Any, Callable

from conftest import Lone
from loopback_proxy import LoopbackProxy, Mode
from trial import REPLY_MAX_S, Scale, Trial

Make = Callable[..., Trial]
Judge = Callable[..., Any]


def test_a_healthy_broker_loses_and_repeats_nothing(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    # The oracle holds every event in memory: an hour at full rate is too much for it.
    trial = make_trial(lone.cluster).begin("--rate", scale.of("10", "3"))
    trial.run_for(scale.of(6, 3600))
    figures = judged(trial, "R-34", "none: healthy broker")
    assert figures.duplicates == 0 and figures.refused == 0


def test_a_client_that_loses_replies_resends_the_same_events(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin("--lose-replies", "0.3")
    trial.run_for(scale.of(5, 300))
    figures = judged(trial, "R-30", "clients lose replies and resend")
    assert figures.duplicates > 0


def test_the_broker_killed_again_and_again(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin()
    kills = scale.of(1, 20)
    for _ in range(kills):
        trial.run_for(2)
        lone.cluster.kill()
        lone.cluster.resume()
    trial.healed()
    trial.wait_for_spans(200)
    figures = judged(trial, "R-13", f"broker SIGKILL x {kills}")
    assert figures.refused == 0


def test_the_broker_restarted(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin()
    restarts = scale.of(1, 10)
    for _ in range(restarts):
        trial.run_for(1)
        lone.cluster.stop()
        lone.cluster.resume()
    trial.healed()
    trial.wait_for_spans(200)
    figures = judged(trial, "R-13", f"broker restarted x {restarts}")
    assert figures.refused == 0


def test_the_broker_stands_still(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin()
    seconds = scale.of(6, 60)
    lone.cluster.pause()
    try:
        trial.run_for(seconds)
    finally:
        lone.cluster.unpause()
    trial.healed()
    trial.wait_for_spans(200)
    figures = judged(trial, "R-14", f"broker SIGSTOP {seconds} s")
    assert figures.refused == 0 and figures.spooled > 0
    assert figures.latency_max_s < REPLY_MAX_S + 0.5


def test_after_a_long_absence_the_spool_drains_faster_than_data_comes(
        lone: Lone, proxy: LoopbackProxy, make_trial: Make, judged: Judge, scale: Scale) -> None:
    """At a load of which the gateway could take several times as much."""
    trial = make_trial(lone.cluster, config={"exporters": {"kafka": {"brokers": [lone.proxied]}},
                                             "spool": {"bytes_max": "1GiB"}})
    trial.begin("--rate", scale.of("10", "3"))
    seconds = scale.of(15, 1800)
    proxy.set_mode(Mode.REFUSE)
    trial.run_for(seconds)
    proxy.set_mode(Mode.PASS)
    trial.healed()
    trial.wait_until("the spool is empty",
                     lambda m: m.total("spangate_records_spooled") == 0, scale.of(60, 600))
    trial.run_for(1)
    figures = judged(trial, "R-15", f"broker away {seconds} s")
    assert figures.refused == 0 and figures.spooled > 0
    assert figures.drain_ratio >= 2
