"""The gateway itself hurt: killed, ended, reloaded, starved, doubled. Nothing acknowledged is lost."""

from __future__ import annotations

import pathlib
import random
import resource
import signal
import socket
import time
from typing import Any, Callable

import pytest
import requests

from conftest import Lone
from gateway import Gateway
from loopback_proxy import LoopbackProxy, Mode
from trial import Scale, Trial

Make = Callable[..., Trial]
Judge = Callable[..., Any]
GRACE_S = 10  # as tests/harness/gateway.py configures it


def proxied(lone: Lone) -> dict[str, Any]:
    return {"exporters": {"kafka": {"brokers": [lone.proxied]}}}


def started_in(gateway: Gateway) -> float:
    """Starts it; the seconds until it said that it is ready."""
    began = time.monotonic()
    gateway.start().wait_until_ready()
    return time.monotonic() - began


def test_the_gateway_killed_at_random_instants(
        lone: Lone, proxy: LoopbackProxy, make_trial: Make, judged: Judge, scale: Scale) -> None:
    """Every other time its broker is away, so that it dies spooling, and starts so too."""
    seed = 7
    instants = random.Random(seed)
    trial = make_trial(lone.cluster, config=proxied(lone)).begin("--rate", "20")
    kills, slowest_start_s = scale.of(6, 200), 0.0
    for number in range(kills):
        proxy.set_mode(Mode.REFUSE if number % 2 else Mode.PASS)
        trial.run_for(instants.uniform(0.2, 2.0))
        trial.gateway.kill()
        slowest_start_s = max(slowest_start_s, started_in(trial.gateway))
    proxy.set_mode(Mode.PASS)
    trial.healed()
    trial.wait_for_spans(200)
    judged(trial, "R-16", f"gateway SIGKILL x {kills}, seed {seed}",
           more=f"slowest start {slowest_start_s:.1f} s")


def test_sigterm_with_the_broker_away_leaves_everything_on_disk(
        lone: Lone, proxy: LoopbackProxy, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster, config=proxied(lone)).begin()
    slowest_s = 0.0
    for _ in range(scale.of(1, 20)):
        proxy.set_mode(Mode.REFUSE)
        trial.run_for(2)
        began = time.monotonic()
        assert trial.gateway.terminate() == 0
        slowest_s = max(slowest_s, time.monotonic() - began)
        proxy.set_mode(Mode.PASS)
        trial.gateway.start().wait_until_ready()
        trial.run_for(1)
    trial.healed()
    trial.wait_for_spans(200)
    figures = judged(trial, "R-18", "SIGTERM with the broker away", more=f"ended in {slowest_s:.1f} s")
    assert figures.recovered > 0
    assert slowest_s < GRACE_S + 1


def test_reloads_under_load_refuse_no_request(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin("--rate", "20")
    invalid = 0
    for number in range(100):
        before = trial.gateway.log().count("\n")
        team = {"processors": {"enrich": {"attributes": {"turn": str(number)}}}}
        trial.gateway.write_config(team)
        if number % 10 == 5:
            trial.gateway.config_file.write_text("receivers: {otlp: {limits: {no_such_key: 1}}}\n")
            invalid += 1
        trial.gateway.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 5
        while trial.gateway.log().count("\n") == before:
            assert time.monotonic() < deadline, "the reload is not in the log"
            time.sleep(0.01)
    trial.wait_for_spans(50)
    log = trial.gateway.log()
    refused, done = log.count("reload refused"), log.count("configuration reloaded")
    assert "no_such_key" in log
    figures = judged(trial, "R-38", "SIGHUP x 100, 10 with an invalid file",
                     more=f"{done} reloaded, {refused} refused")
    assert (done, refused) == (100 - invalid, invalid)
    assert figures.refused == 0 and not trial.journal.replies.keys() - {"200"}


def test_no_descriptors_left_and_given_back(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster).begin()
    process = trial.gateway.process.pid
    usual = resource.prlimit(process, resource.RLIMIT_NOFILE)
    opened = len(list(pathlib.Path(f"/proc/{process}/fd").iterdir()))
    resource.prlimit(process, resource.RLIMIT_NOFILE, (opened + 8, usual[1]))
    idle = [hold(trial.gateway.http_port) for _ in range(100)]
    trial.run_for(scale.of(3, 30))
    for one in idle:
        one.close()
    resource.prlimit(process, resource.RLIMIT_NOFILE, usual)
    trial.healed()
    served_s = seconds_until_served(trial.gateway)
    trial.wait_for_spans(200)
    judged(trial, "R-32", "no descriptors left, given back",
           more=f"new connections served after {served_s:.2f} s")
    assert served_s < 1.5


def hold(port: int) -> socket.socket:
    """An idle connection; the listener's queue takes it even when the program cannot."""
    one = socket.socket()
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", port))
    return one


def seconds_until_served(gateway: Gateway) -> float:
    began = time.monotonic()
    while True:
        try:
            if requests.get(f"{gateway.admin_url}/healthz", timeout=1).status_code == 200:
                return time.monotonic() - began
        except requests.RequestException:
            pass
        assert time.monotonic() - began < 30, "it does not serve again"
        time.sleep(0.02)


def test_two_gateways_speak_for_one_session(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster, gateways=2).begin("--spread")
    trial.run_for(scale.of(4, 300))
    figures = judged(trial, "R-33", "two gateways, each session through both in turns")
    assert figures.duplicates == 0 and figures.refused == 0


def test_a_pair_restarted_one_after_the_other(
        lone: Lone, make_trial: Make, judged: Judge, scale: Scale) -> None:
    """Clients go to the other one; they see only answers after which they come back."""
    trial = make_trial(lone.cluster, gateways=2, config={"shutdown": {"accept_for": "500ms"}})
    trial.begin()
    rounds = scale.of(1, 20)
    for _ in range(rounds):
        for gateway in trial.gateways:
            assert gateway.terminate() == 0
            gateway.start().wait_until_ready()
            trial.wait_for_spans(50)
    trial.healed()
    judged(trial, "R-39", f"pair restarted in turns x {rounds}")


@pytest.fixture(scope="session")
def libfaketime() -> str:
    """The preloaded library with which a process sees another wall clock; Debian's faketime."""
    found = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    assert found, "libfaketime is missing: deploy/deps/install.sh test"
    return str(found[0])


def test_the_wall_clock_jumps(lone: Lone, libfaketime: str, make_trial: Make, judged: Judge,
                              scale: Scale) -> None:
    trial = make_trial(lone.cluster)
    offset = trial.directory / "offset"
    offset.write_text("+0\n")
    trial.gateway.environment = {
        "LD_PRELOAD": libfaketime, "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_CACHE_DURATION": "1", "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    trial.begin()
    for jump in ("+3590", "-3600", "+0") * scale.of(1, 10):
        offset.write_text(jump + "\n")
        trial.run_for(2.5)
        trial.wait_for_spans(50)
    trial.sending.end()
    times_ms = [record.timestamp_ms for record in trial.records("operational")]
    assert max(times_ms) - min(times_ms) > 7_000_000, "the gateway's clock did not jump"
    figures = judged(trial, "R-29", "wall clock jumps by an hour, both ways")
    assert figures.refused == 0 and figures.latency_max_s < 3
    assert trial.gateway.terminate() == 0  # in order, so that libfaketime tidies up behind itself
