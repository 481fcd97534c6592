#!/usr/bin/env python3
"""Precision and recall of the redaction detectors on a labelled corpus, beside Presidio's
recognisers and the Collector's regexes on the same texts; prints a table.

    quality.py --binary build/spangate [--per-locale 60] [--only spangate] [--misses] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
import time

import engines
from corpus import LOCALES, MEASURED, STRUCTURED, make_corpus
from measure import Result, Score, measure, overall


def share(value: float | None) -> str:
    return "   -  " if value is None else f"{value:6.4f}"


def table(results: dict[str, Result], golds: dict[str, int]) -> str:
    lines = [f"{'':18}{'values':>7}" + "".join(f"  {name:>15}" for name in results)]
    lines.append(f"{'':25}" + "".join(f"  {'prec.':>7} {'recall':>7}" for _ in results))
    for kind in MEASURED:
        cells = "".join(
            f"  {share(result.scores.get(kind, Score()).precision):>7} "
            f"{share(result.scores.get(kind, Score()).recall):>7}" for result in results.values())
        lines.append(f"{kind:18}{golds[kind]:7}{cells}")
    cells = ""
    for result in results.values():
        total = overall(result, STRUCTURED)
        cells += f"  {share(total.precision):>7} {share(total.recall):>7}"
    lines.append(f"{'structured, all':18}{sum(golds[k] for k in STRUCTURED):7}{cells}")
    return "\n".join(lines)


def as_json(result: Result) -> dict:
    kinds = {kind: {"golds": score.golds, "findings": score.findings, "recall": score.recall,
                    "precision": score.precision}
             for kind, score in result.scores.items()}
    total = overall(result, STRUCTURED)
    kinds["structured"] = {"golds": total.golds, "findings": total.findings,
                           "recall": total.recall, "precision": total.precision}
    return kinds


def show_faults(name: str, result: Result, limit: int) -> None:
    for text in result.misses[:limit]:
        gold = text.golds[0]
        value = text.text.encode()[gold.begin:gold.end].decode()
        print(f"{name} missed {text.about}: {value!r} in {text.text!r}")
    for rule, text, taken in result.alarms[:limit]:
        print(f"{name} took as {rule}: {taken!r} ({text.about}) in {text.text!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--per-locale", type=int, default=60)
    parser.add_argument("--only", choices=("spangate",))
    parser.add_argument("--misses", action="store_true", help="print what was missed or mistaken")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()

    corpus = make_corpus(arguments.per_locale)
    texts = [one.text for one in corpus]
    golds = {kind: sum(gold.kind == kind for one in corpus for gold in one.golds)
             for kind in MEASURED}
    results, seconds = {}, {}

    def run(name: str, find) -> None:
        started = time.monotonic()
        results[name] = measure(corpus, find())
        seconds[name] = time.monotonic() - started

    run("spangate", lambda: engines.spangate(arguments.binary, texts))
    if arguments.only is None:
        started = time.monotonic()
        found = engines.presidio(texts)
        seconds["Presidio's analysis"] = time.monotonic() - started
        run("Presidio", lambda: engines.scored(found, 0.0))
        run("Presidio ≥ 0.4", lambda: engines.scored(found, 0.4))
        run("Collector", lambda: engines.collector(texts))
    alike = sum(not one.golds for one in corpus)
    print(f"{len(corpus)} texts: {len(corpus) - alike} with a value, in {len(LOCALES)} locales, "
          f"{alike} look-alikes")
    print(table(results, golds))
    print("seconds: " + ", ".join(f"{name} {took:.1f}" for name, took in seconds.items()))
    if arguments.misses:
        for name in list(results)[:1]:
            show_faults(name, results[name], 400)
    if arguments.json:
        arguments.json.write_text(json.dumps({n: as_json(r) for n, r in results.items()}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
