"""The sender under way: load/session_sender.py in a process of its own, and its journal."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import time
from typing import Callable

from journal import Journal

SENDER = pathlib.Path(__file__).resolve().parents[2] / "load" / "session_sender.py"
FIRST_SPANS = 20
END_TIMEOUT_S = 90


class Sending:
    """Use begin() once. `told_on_failure`: what helps to understand why nothing is acknowledged."""

    def __init__(self, directory: pathlib.Path, told_on_failure: Callable[[], str]) -> None:
        self._path = directory / "journal"
        self._told_on_failure = told_on_failure
        self._process: subprocess.Popen | None = None
        self.journal = Journal(self._path)

    def begin(self, http_ports: list[int], grpc_ports: list[int], *flags: str) -> None:
        """Returns when it is sending and was answered."""
        self._process = subprocess.Popen(
            [sys.executable, str(SENDER), "--journal", str(self._path),
             "--http", ",".join(map(str, http_ports)), "--grpc", ",".join(map(str, grpc_ports)),
             *flags],
            stdin=subprocess.DEVNULL,
        )
        self.wait_for_spans(FIRST_SPANS)

    def wait_for_spans(self, more: int, timeout_s: float = 30) -> float:
        """Until so many more spans are acknowledged; returns the seconds it took."""
        started = time.monotonic()
        wanted = self.journal.refresh().acknowledged_spans + more
        while self.journal.refresh().acknowledged_spans < wanted:
            assert time.monotonic() - started < timeout_s, (
                f"no progress: {self.journal.acknowledged_spans} of {wanted} spans acknowledged\n"
                + self._told_on_failure())
            time.sleep(0.02)
        return time.monotonic() - started

    def end(self) -> None:
        """Lets it finish what it has begun."""
        if self._process is None:
            return
        self._process.terminate()
        assert self._process.wait(END_TIMEOUT_S) == 0, "the sender failed"
        self._process = None
        self.journal.refresh()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
