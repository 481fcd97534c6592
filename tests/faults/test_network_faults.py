"""What stands between gateway and broker misbehaves: late, torn, silent, gone. Nothing is lost."""

from __future__ import annotations

import socket
from typing import Any, Callable, Iterator

import pytest

from conftest import Lone
from kafka_cluster import NAME, free_ports
from loopback_proxy import LoopbackProxy, Mode
from trial import Scale, Trial

Make = Callable[..., Trial]
Judge = Callable[..., Any]
RECONNECT_S = 30


def proxied(lone: Lone) -> dict[str, Any]:
    return {"exporters": {"kafka": {"brokers": [lone.proxied]}}}


@pytest.mark.parametrize("mode, told", [
    (Mode.DELAY, "every byte 2 s late"),
    (Mode.STUTTER, "5 % of pieces late, as lost packets are"),
    (Mode.HALF_OPEN, "accepts and never answers"),
    (Mode.RESET, "resets every connection"),
    (Mode.BLACKHOLE, "passes nothing, keeps connections"),
    (Mode.REFUSE, "nobody listens"),
], ids=lambda value: value.value if isinstance(value, Mode) else "")
def test_a_bad_network(mode: Mode, told: str, lone: Lone, proxy: LoopbackProxy, make_trial: Make,
                       judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster, config=proxied(lone)).begin()
    seconds = scale.of(5, 60)
    proxy.set_mode(mode)
    trial.run_for(seconds)
    proxy.set_mode(Mode.PASS)
    trial.healed()
    back_s = trial.wait_for_spans(200, RECONNECT_S)
    figures = judged(trial, "R-26", f"proxy {told}, {seconds} s", more=f"flows after {back_s:.1f} s")
    assert figures.refused == 0


def test_connections_cut_again_and_again(lone: Lone, proxy: LoopbackProxy, make_trial: Make,
                                         judged: Judge, scale: Scale) -> None:
    trial = make_trial(lone.cluster, config=proxied(lone)).begin()
    cuts = scale.of(8, 100)
    for _ in range(cuts):
        trial.run_for(0.5)
        proxy.cut()
    trial.healed()
    trial.wait_for_spans(200, RECONNECT_S)
    figures = judged(trial, "R-26", f"connections reset x {cuts}")
    assert figures.refused == 0


@pytest.fixture()
def silent_address() -> Iterator[str]:
    """Listens and accepts nothing: the worst a dead address does."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(1)
        yield f"127.0.0.1:{silent.getsockname()[1]}"


def test_dead_bootstrap_addresses_beside_a_good_one(
        lone: Lone, silent_address: str, make_trial: Make, judged: Judge) -> None:
    dead = f"127.0.0.1:{free_ports(1)[0]}"
    brokers = [dead, silent_address, *lone.cluster.bootstrap.split(",")]
    trial = make_trial(lone.cluster, config={"exporters": {"kafka": {"brokers": brokers}}})
    trial.begin()
    seconds = trial.wait_for_spans(100, RECONNECT_S)
    judged(trial, "R-28", "two of three bootstrap addresses dead",
           more=f"first 100 spans in {seconds:.1f} s")


def test_the_address_behind_a_brokers_name_changes(
        lone: Lone, preloaded: Callable[[str], str], make_trial: Make, judged: Judge) -> None:
    node = lone.cluster.nodes[0]
    port = lone.proxy.port
    old = LoopbackProxy(port, node.named_port, host="127.0.0.2")
    new = LoopbackProxy(port, node.named_port, host="127.0.0.3")
    trial = make_trial(lone.cluster, config={"exporters": {"kafka": {"brokers": [f"{NAME}:{port}"]}}})
    address = trial.directory / "address"
    address.write_text(old.host)
    trial.gateway.environment = {"LD_PRELOAD": preloaded("changing_names"), "CHANGING_NAME": NAME,
                                 "CHANGING_NAME_FILE": str(address)}
    try:
        trial.begin()
        address.write_text(new.host)
        old.set_mode(Mode.REFUSE)
        trial.healed()
        trial.run_for(0.5)
        delivered = "spangate_records_delivered_total"
        at_switch = trial.gateway.metrics().total(delivered)
        back_s = trial.wait_until("records go to the new address",
                                  lambda m: m.total(delivered) > at_switch + 50, RECONNECT_S)
        judged(trial, "R-28", "the broker's name has a new address",
               more=f"delivers after {back_s:.1f} s")
    finally:
        old.close()
        new.close()
