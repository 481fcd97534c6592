"""The spool's disk and files hurt: full, torn, flipped, gone, from the future."""

from __future__ import annotations

import pathlib
import random
import shutil
import time
from typing import Any, Callable, Iterator

import pytest

from conftest import Lone
from loopback_proxy import LoopbackProxy, Mode
from small_disk import SmallDisk
from trial import Scale, Trial

Make = Callable[..., Trial]
Judge = Callable[..., Any]
MIB = 2**20
LINES = ("operational", "detail", "evidence")
ALL = 10**9
# src/spool/segment_format.h
SEGMENT_START = 128
FOOTER_BYTES = 104


def proxied(lone: Lone, **spool: str) -> dict[str, Any]:
    # The spool refuses while one largest request would not fit.
    limits = {"receivers": {"otlp": {"limits": {"request_bytes_max": "512KiB"}}}}
    return {"exporters": {"kafka": {"brokers": [lone.proxied]}}, "spool": spool} | limits


def bytes_below(directory: pathlib.Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def wait_until_refusing(trial: Trial, timeout_s: float = 60) -> None:
    trial.wait_until("requests are refused", lambda m: m.total(
        "spangate_items_refused_total") + m.total("spangate_requests_refused_total") > 0, timeout_s)


def wait_until_not_ready(trial: Trial) -> None:
    """A full disk is tried again each second, so that for an instant the gateway is ready."""
    trial.wait_until("it says that it is not ready",
                     lambda _: trial.gateway.readiness().status_code == 503)


def test_a_full_spool_refuses_and_keeps_what_it_has(
        lone: Lone, proxy: LoopbackProxy, make_trial: Make, judged: Judge, scale: Scale) -> None:
    bytes_max = 16 * MIB
    trial = make_trial(lone.cluster, config=proxied(lone, bytes_max=str(bytes_max))).begin(
        "--content-bytes", "8000")
    proxy.set_mode(Mode.REFUSE)
    wait_until_refusing(trial)
    trial.run_for(scale.of(2, 60))
    used = bytes_below(trial.spool)
    assert used <= bytes_max
    wait_until_not_ready(trial)
    proxy.set_mode(Mode.PASS)
    trial.healed()
    trial.wait_for_spans(100)
    figures = judged(trial, "R-14", "broker away until the spool is full",
                     more=f"{used / MIB:.1f} of {bytes_max / MIB:.0f} MiB on disk")
    assert figures.refused > 0


@pytest.fixture(params=["device", "limit"])
def small_disk(tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Iterator[SmallDisk]:
    """The best this machine allows, and the one that works anywhere."""
    disk = SmallDisk(tmp_path / "small", 6 * MIB, "limit" if request.param == "limit" else "")
    yield disk
    disk.close()


def test_the_disk_is_full_and_space_comes_back(
        lone: Lone, proxy: LoopbackProxy, small_disk: SmallDisk, make_trial: Make, judged: Judge,
        scale: Scale) -> None:
    trial = make_trial(lone.cluster, config=proxied(
        lone, directory=str(small_disk.directory / "spool")))
    trial.begin("--content-bytes", "8000")
    process = trial.gateway.process.pid
    small_disk.started(process)
    proxy.set_mode(Mode.REFUSE)
    wait_until_refusing(trial)
    trial.run_for(scale.of(2, 60))
    assert trial.gateway.process.poll() is None
    wait_until_not_ready(trial)
    small_disk.grow(process)
    taken_s = trial.wait_for_spans(100)  # Kafka is still away
    proxy.set_mode(Mode.PASS)
    trial.healed()
    trial.wait_for_spans(100)
    figures = judged(trial, "R-19", f"spool disk full ({small_disk.way}), space returned",
                     more=f"takes again {taken_s:.1f} s after")
    assert figures.refused > 0


@pytest.mark.parametrize("state, told", [("s", "fsync"), ("w", "write and fsync")])
def test_the_spool_device_fails(
        state: str, told: str, lone: Lone, proxy: LoopbackProxy, preloaded: Callable[[str], str],
        make_trial: Make, judged: Judge, scale: Scale) -> None:
    """Nothing is acknowledged after a failed fsync; it goes on when the device works again."""
    trial = make_trial(lone.cluster, config=proxied(lone))
    switch = trial.directory / "switch"
    trial.gateway.environment = {"LD_PRELOAD": preloaded("failing_disk"),
                                 "FAILING_DISK_SWITCH": str(switch),
                                 "FAILING_DISK_DIRECTORY": str(trial.spool)}
    trial.begin()
    proxy.set_mode(Mode.REFUSE)
    trial.run_for(2)
    switch.write_text(state)
    trial.run_for(1)  # what was answered just before may still be under way
    before = trial.journal.refresh().acknowledged_spans
    trial.run_for(scale.of(3, 60))
    meanwhile = trial.journal.refresh().acknowledged_spans - before
    assert trial.gateway.process.poll() is None
    switch.unlink()
    taken_s = trial.wait_for_spans(100)  # Kafka is still away
    proxy.set_mode(Mode.PASS)
    trial.healed()
    trial.wait_for_spans(100)
    judged(trial, "R-20", f"EIO on {told} of the spool",
           more=f"{meanwhile} acknowledged meanwhile, takes again {taken_s:.1f} s after")
    assert meanwhile == 0


def test_a_large_spool_is_no_burden_at_start(
        lone: Lone, proxy: LoopbackProxy, make_trial: Make, judged: Judge, scale: Scale) -> None:
    wanted = scale.of(40, 1024) * MIB
    trial = make_trial(lone.cluster, config=proxied(lone, bytes_max="4GiB"))
    trial.gateway.start().wait_until_ready()
    proxy.set_mode(Mode.REFUSE)
    trial.send("--content-bytes", "20000", "--rate", "40", "--spans", "10")
    deadline = time.monotonic() + scale.of(60, 1200)
    while bytes_below(trial.spool) < wanted:
        assert time.monotonic() < deadline, f"only {bytes_below(trial.spool) / MIB:.0f} MiB"
        trial.run_for(0.2)
    trial.sending.end()
    trial.gateway.kill()
    began = time.monotonic()
    trial.gateway.start().wait_until_ready()
    start_s = time.monotonic() - began
    at_start = trial.gateway.resident_bytes() / MIB
    filled = bytes_below(trial.spool) / MIB
    proxy.set_mode(Mode.PASS)
    trial.healed()
    judged(trial, "R-16", f"start with {filled:.0f} MiB in the spool",
           more=f"ready in {start_s:.1f} s with {at_start:.0f} MiB RSS")
    assert start_s < 2.5 and at_start < 64  # two busy cores


def segments(spool: pathlib.Path, line: str) -> list[pathlib.Path]:
    """Oldest first."""
    return sorted((spool / line).glob("*.segment"))


def fill(lone: Lone, proxy: LoopbackProxy, make_trial: Make, *flags: str, seconds: float = 3) -> Trial:
    """A trial that is over: acknowledged, on disk, nothing in Kafka."""
    trial = make_trial(lone.cluster, config=proxied(lone))
    proxy.set_mode(Mode.REFUSE)
    for gateway in trial.gateways:
        gateway.start().wait_until_ready()
    trial.send(*flags)
    trial.run_for(seconds / 2)
    assert trial.gateway.terminate() == 0  # the next process begins segments of its own
    trial.gateway.start().wait_until_ready()
    trial.run_for(seconds / 2)
    trial.sending.end()
    assert trial.gateway.terminate() == 0
    trial.sampler.stop()
    proxy.set_mode(Mode.PASS)
    return trial


# A damage done to a spool; returns how many events of each class it may have cost, at most.
Damage = Callable[[pathlib.Path, random.Random], dict[str, int]]


def truncate_last_record(spool: pathlib.Path, _: random.Random) -> dict[str, int]:
    """As a machine that loses power leaves it; here the record had been synced, so it is lost."""
    for line in LINES:
        newest = segments(spool, line)[-1]
        with open(newest, "r+b") as file:
            file.truncate(newest.stat().st_size - FOOTER_BYTES - 5)
    return dict.fromkeys(LINES, 1)


def remove_segment(spool: pathlib.Path, _: random.Random) -> dict[str, int]:
    segments(spool, "detail")[0].unlink()
    return {"detail": ALL}


def remove_cursors(spool: pathlib.Path, _: random.Random) -> dict[str, int]:
    for line in LINES:
        (spool / line / "cursor").unlink(missing_ok=True)
    return {}


def overwrite_cursors(spool: pathlib.Path, random_: random.Random) -> dict[str, int]:
    for line in LINES:
        (spool / line / "cursor").write_bytes(random_.randbytes(64))
    return {}


def put_a_strange_segment_beside(spool: pathlib.Path, random_: random.Random) -> dict[str, int]:
    for line in LINES:
        newest = segments(spool, line)[-1]
        strange = newest.with_name(f"{int(newest.stem, 16) + 1:016x}.segment")
        strange.write_bytes(random_.randbytes(100_000))
    return {}


def flip_bits(spool: pathlib.Path, random_: random.Random) -> dict[str, int]:
    flips = Scale().of(20, 1000)
    for _ in range(flips):
        line = random_.choice(LINES)
        file = random_.choice(segments(spool, line))
        with open(file, "r+b") as opened:
            at = random_.randrange(SEGMENT_START, file.stat().st_size)
            opened.seek(at)
            byte = opened.read(1)[0]
            opened.seek(at)
            opened.write(bytes([byte ^ 1 << random_.randrange(8)]))
    return dict.fromkeys(LINES, flips)


@pytest.mark.parametrize("damage, told", [
    (truncate_last_record, "last record of each class cut short"),
    (remove_segment, "a segment removed"),
    (remove_cursors, "cursors removed"),
    (overwrite_cursors, "cursors overwritten"),
    (put_a_strange_segment_beside, "a strange segment beside"),
    (flip_bits, "bits flipped"),
], ids=lambda value: value.__name__ if callable(value) else "")
def test_damaged_spool_files(damage: Damage, told: str, lone: Lone, proxy: LoopbackProxy,
                             make_trial: Make, judged: Judge) -> None:
    """Start succeeds, what was not hit is delivered, and the damage is told."""
    filled = fill(lone, proxy, make_trial)
    trial = make_trial(lone.cluster, config=proxied(lone))
    shutil.copytree(filled.spool, trial.spool)
    trial.sending.journal = filled.journal
    may_lose = damage(trial.spool, random.Random(5))
    began = time.monotonic()
    trial.gateway.start().wait_until_ready()
    start_s = time.monotonic() - began
    trial.wait_until_at_rest()  # damage is met on the way
    metrics = trial.gateway.metrics()
    damages = sum(metrics.total(f"spangate_spool_{what}_total") for what in ("damages", "torn_tails"))
    quarantined = metrics.total("spangate_spool_quarantined_files_total")
    figures = judged(trial, "R-21", told, may_lose=may_lose, more=(
        f"start {start_s:.1f} s, {damages:g} damages told, {quarantined:g} files put aside"))
    assert figures.recovered > 0
    assert damages > 0 or damage is remove_cursors
