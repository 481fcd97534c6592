#!/usr/bin/env python3
"""Runs the tests of one build tree and counts them: tests/run.py BUILD unit|e2e|faults|peer... [pytest args]

Unit tests are the ones ctest knows. Their Catch2 executables report in XML, so that what is counted
is test cases, not executables; a test that is not Catch2 counts as one case. End-to-end tests are
everything pytest finds below tests/, with a short version of every fault; `faults` are those of
tests/faults alone, at full length, and `peer` holds a Collector ($COLLECTOR) beside ours. The last line is `N passed, N failed`; the exit code is 0 only
when nothing failed and something ran. Standard library only: `unit` needs no environment.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

TESTS = pathlib.Path(__file__).resolve().parent
UNIT_TIMEOUT_S = 300
E2E_TIMEOUT_S = 60 * 60  # with the container image, where it can be built
FAULTS_TIMEOUT_S = 8 * 60 * 60
FAULT_TIMEOUT_S = 2 * 60 * 60  # one of them


@dataclasses.dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other: Count) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self) -> str:
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def is_catch2(command: list[str]) -> bool:
    return pathlib.Path(command[0]).name.startswith("test_")


def catch2_count(report: pathlib.Path) -> Count | None:
    """None when there is no whole report: the program crashed."""
    try:
        cases = ElementTree.parse(report).getroot().find("OverallResultsCases")
    except (ElementTree.ParseError, FileNotFoundError):
        return None
    if cases is None:
        return None
    passed = int(cases.get("successes", 0)) + int(cases.get("expectedFailures", 0))
    return Count(passed=passed, failed=int(cases.get("failures", 0)))


def run_one_unit(test: dict, reports: pathlib.Path) -> tuple[str, Count, str]:
    """Returns the test's name, its count and, when something failed, what it printed."""
    name, command = test["name"], test["command"]
    directory = next(
        (p["value"] for p in test.get("properties", []) if p["name"] == "WORKING_DIRECTORY"), None
    )
    report = reports / f"unit-{name}.xml"
    report.unlink(missing_ok=True)
    extra = ["-r", "xml", "-o", str(report)] if is_catch2(command) else []
    try:
        result = subprocess.run(
            command + extra, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, errors="replace", timeout=UNIT_TIMEOUT_S,
        )
        output, code = result.stdout + result.stderr, result.returncode
    except subprocess.TimeoutExpired:
        return name, Count(failed=1), f"did not end within {UNIT_TIMEOUT_S} s"
    count = catch2_count(report) if extra else Count(passed=int(code == 0), failed=int(code != 0))
    if count is None:
        return name, Count(failed=1), f"{output}\nexit code {code}, no report: it crashed"
    if code != 0 and count.failed == 0:
        count.failed = 1  # a sanitizer's finding at exit, for one
    return name, count, output + failed_cases(report) if count.failed else ""


def failed_cases(report: pathlib.Path) -> str:
    if not report.exists():
        return ""
    lines = []
    for case in ElementTree.parse(report).getroot().iter("TestCase"):
        result = case.find("OverallResult")
        if result is None or result.get("success") == "true":
            continue
        lines.append(f"\nFAILED: {case.get('name')} ({case.get('filename')}:{case.get('line')})")
        for node in case.iter():
            if node.tag == "Expression" and node.get("success") == "false":
                original = (node.findtext("Original") or "").strip()
                expanded = (node.findtext("Expanded") or "").strip()
                lines.append(
                    f"  {node.get('filename')}:{node.get('line')}: {original}\n    with {expanded}"
                )
            elif node.tag in ("Failure", "Exception", "FatalErrorCondition", "Info"):
                lines.append(f"  {node.tag}: {(node.text or '').strip()}")
    return "\n".join(lines)


def run_unit(build: pathlib.Path, reports: pathlib.Path) -> Count:
    listing = subprocess.run(
        ["ctest", "--test-dir", str(build), "--show-only=json-v1"],
        capture_output=True, text=True, check=True,
    )
    tests = [test for test in json.loads(listing.stdout)["tests"] if "command" in test]
    total = Count()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        runs = [pool.submit(run_one_unit, test, reports) for test in tests]
        for run in concurrent.futures.as_completed(runs):
            name, count, output = run.result()
            print(f"unit {name}: {count}", flush=True)
            if output:
                print(output, flush=True)
            total.add(count)
    return total


@dataclasses.dataclass
class Suite:
    """What one call of pytest runs."""

    where: str  # below tests/
    timeout_s: int
    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = dataclasses.field(default_factory=dict)


LONG = (f"--timeout={FAULT_TIMEOUT_S}",)
SUITES = {
    "e2e": Suite("", E2E_TIMEOUT_S),
    "faults": Suite("faults", FAULTS_TIMEOUT_S, LONG, {"SPANGATE_FAULTS": "long"}),
    "peer": Suite("faults/compare_with_collector.py", FAULTS_TIMEOUT_S, LONG),
}


def run_suite(name: str, build: pathlib.Path, reports: pathlib.Path, arguments: list[str]) -> Count:
    suite = SUITES[name]
    report = reports / f"{name}.xml"
    report.unlink(missing_ok=True)
    environment = dict(os.environ) | suite.environment
    environment.setdefault("SPANGATE_BINARY", str(build / "spangate"))
    command = [sys.executable, "-m", "pytest", "-c", str(TESTS / "pytest.ini"),
               f"--junitxml={report}", *suite.arguments, *arguments, str(TESTS / suite.where)]
    try:
        code = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, timeout=suite.timeout_s
        ).returncode
    except subprocess.TimeoutExpired:
        print(f"{name} tests did not end within {suite.timeout_s} s")
        return Count(failed=1)
    try:
        suites = list(ElementTree.parse(report).getroot().iter("testsuite"))
    except (ElementTree.ParseError, FileNotFoundError):
        return Count(failed=1)
    total = Count()
    for suite in suites:
        failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped = int(suite.get("skipped", 0))
        total.add(Count(int(suite.get("tests", 0)) - failed - skipped, failed, skipped))
    if code != 0 and total.failed == 0:
        total.failed = 1
    return total


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    build = pathlib.Path(sys.argv[1]).resolve()
    kinds = [argument for argument in sys.argv[2:] if argument == "unit" or argument in SUITES]
    arguments = sys.argv[2 + len(kinds):]
    reports = build / "reports"
    reports.mkdir(parents=True, exist_ok=True)
    total = Count()
    for kind in kinds:
        started = time.monotonic()
        count = run_unit(build, reports) if kind == "unit" else \
            run_suite(kind, build, reports, arguments)
        print(f"{kind}: {count} in {time.monotonic() - started:.0f} s", flush=True)
        total.add(count)
    print(total, flush=True)
    return 0 if total.failed == 0 and total.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
