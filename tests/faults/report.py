"""The figures of each fault: a line while it runs, a table at the end, JSON and Markdown in files.

The files lie in the directory $SPANGATE_FAULTS_REPORT (default: spangate-faults in the temporary
directory): faults.json and faults.md.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import tempfile


@dataclasses.dataclass
class Figures:
    anchor: str  # the requirement's number, R-13
    fault: str
    spans: int = 0  # of acknowledged requests
    acknowledged: int = 0  # events of acknowledged requests, over the three classes
    missing: int = 0
    duplicates: int = 0
    gaps_told: int = 0  # numbers told by gateway_gap
    dead_lettered: int = 0
    refused: int = 0  # replies that asked the client to come back
    spooled: int = 0  # the most records that waited on disk
    recovered: int = 0  # records found on disk at starts
    live_rate: float = 0  # records a second taken in while the spool drained
    drain_rate: float = 0  # records a second delivered meanwhile
    latency_max_s: float = 0
    resident_mib: float = 0  # the highest ever
    seconds: float = 0
    more: str = ""  # what only this fault has

    @property
    def drain_ratio(self) -> float:
        return self.drain_rate / self.live_rate if self.live_rate else 0.0

    def cells(self) -> list[str]:
        drain = "" if not self.live_rate else \
            f"{self.drain_rate:.0f}/{self.live_rate:.0f} = {self.drain_ratio:.1f}"
        return [self.anchor, self.fault, f"{self.spans}", f"{self.acknowledged}",
                f"{self.missing}", f"{self.duplicates}", f"{self.gaps_told}",
                f"{self.dead_lettered}", f"{self.refused}", f"{self.spooled}", f"{self.recovered}",
                drain, f"{self.latency_max_s:.1f}", f"{self.resident_mib:.0f}",
                f"{self.seconds:.0f}", self.more]


HEADINGS = ["test", "fault", "spans acked", "events acked", "missing", "duplicates", "gaps told",
            "dead letters", "refused", "spooled max", "recovered", "drain/live per s", "slowest s",
            "RSS MiB", "took s", ""]


def directory() -> pathlib.Path:
    told = os.environ.get("SPANGATE_FAULTS_REPORT")
    return pathlib.Path(told) if told else pathlib.Path(tempfile.gettempdir()) / "spangate-faults"


class Report:
    def __init__(self) -> None:
        self.figures: list[Figures] = []

    def add(self, figures: Figures) -> str:
        """Returns the line to print."""
        self.figures.append(figures)
        told = [f"{name} {cell}" for name, cell in zip(HEADINGS[2:], figures.cells()[2:])
                if cell not in ("", "0")]
        if not figures.missing:
            told.insert(2, "missing 0")
        return f"{figures.anchor} {figures.fault}: " + ", ".join(told)

    def table(self) -> list[str]:
        rows = [HEADINGS, *(figures.cells() for figures in self.figures)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
        lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
                 for row in rows]
        return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]

    def write(self) -> pathlib.Path:
        target = directory()
        target.mkdir(parents=True, exist_ok=True)
        made = [dataclasses.asdict(figures) for figures in self.figures]
        (target / "faults.json").write_text(json.dumps(made, indent=1) + "\n")
        (target / "faults.md").write_text("\n".join(self.table()) + "\n")
        return target
