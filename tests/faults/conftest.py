"""What the fault tests stand on. Brokers are shared: each test heals what it broke."""

from __future__ import annotations

import itertools
import pathlib
import subprocess
import sys
from typing import Any, Callable, Iterator

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "harness")]

import gateway as gateway_module  # noqa: E402
from kafka_cluster import KafkaCluster, free_ports  # noqa: E402
from loopback_proxy import LoopbackProxy, Mode  # noqa: E402
from report import Figures, Report  # noqa: E402
from trial import Scale, Trial  # noqa: E402

_report = Report()
_numbers = itertools.count(1)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not _report.figures:
        return
    terminalreporter.section("faults")
    for line in _report.table():
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"also in {_report.write()}")


@pytest.fixture(scope="session", autouse=True)
def fault_binary_is_built() -> None:
    assert gateway_module.binary().exists(), f"{gateway_module.binary()}: run make build first"


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """preloaded("name"): the library made of name.c here, for LD_PRELOAD."""
    directory = tmp_path_factory.mktemp("preloaded")

    def made(name: str) -> str:
        target = directory / f"{name}.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(target),
                        str(HERE / f"{name}.c"), "-ldl"], check=True)
        return str(target)

    return made


@pytest.fixture(scope="session")
def scale() -> Scale:
    return Scale()


class Lone:
    """One broker with rights by ACL, directly and behind a proxy."""

    def __init__(self, directory: pathlib.Path) -> None:
        proxy_port, = free_ports(1)
        self.cluster = KafkaCluster(directory, authorizer=True, proxy_port=proxy_port)
        self.proxy = LoopbackProxy(proxy_port, self.cluster.nodes[0].proxied_port)
        self.proxied = f"127.0.0.1:{proxy_port}"


@pytest.fixture(scope="session")
def lone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lone]:
    made = Lone(tmp_path_factory.mktemp("lone") / "kafka")
    made.cluster.start()
    yield made
    made.proxy.close()
    made.cluster.kill()


@pytest.fixture()
def proxy(lone: Lone) -> Iterator[LoopbackProxy]:
    """Passes everything until told otherwise, and again after the test."""
    lone.proxy.set_mode(Mode.PASS)
    yield lone.proxy
    lone.proxy.set_mode(Mode.PASS)


@pytest.fixture(scope="module")
def trio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Three brokers; a record must be on two of them."""
    made = KafkaCluster(tmp_path_factory.mktemp("trio") / "kafka", 3).start()
    yield made
    made.kill()


@pytest.fixture()
def make_trial(tmp_path: pathlib.Path) -> Iterator[Callable[..., Trial]]:
    """make_trial(cluster, ...) with topics of its own; ended with the test."""
    trials: list[Trial] = []

    def make(cluster: KafkaCluster, **options: Any) -> Trial:
        number = next(_numbers)
        trials.append(Trial(cluster, tmp_path / f"trial{number}", f"fault{number}", **options))
        return trials[-1]

    yield make
    for trial in trials:
        trial.end()


@pytest.fixture()
def note(pytestconfig: pytest.Config) -> Callable[[Figures], None]:
    """Keeps the figures for the table and shows them at once."""

    def add(figures: Figures) -> None:
        line = _report.add(figures)
        with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
            print("\n" + line, flush=True)

    return add


@pytest.fixture()
def judged(note: Callable[[Figures], None]) -> Callable[..., Figures]:
    """judged(trial, anchor, fault, ...): ends the trial, notes its figures, fails on any fault."""

    def judge(trial: Trial, anchor: str, fault: str, **options: Any) -> Figures:
        figures, faults = trial.finish(anchor, fault, **options)
        note(figures)
        assert not faults, "\n".join(faults) + "\n" + trial.gateway.log()[-3000:]
        return figures

    return judge


@pytest.fixture()
def compared(note: Callable[[Figures], None], judged: Callable[..., Figures]) -> Callable[..., None]:
    """compared(trial, fault, arm): ours is judged, the other's figures are noted."""

    def compare(trial: Any, fault: str, arm: str) -> None:
        if isinstance(trial, Trial):
            judged(trial, "peer", f"{fault}: {arm}")
        else:
            note(trial.finish("peer", f"{fault}: {arm}"))

    return compare
