"""How well something finds what the corpus holds.

  recall     of a kind: golds that are covered to the last byte, by whatever rule, of all golds
  precision  of a rule: findings that touch a gold, of all findings of that rule

A finding of another kind than the gold's still hides the gold, so it counts for both.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import Sequence

from corpus import Text
from engines import Span


@dataclasses.dataclass
class Score:
    golds: int = 0
    covered: int = 0
    findings: int = 0
    touching: int = 0

    @property
    def recall(self) -> float | None:
        return self.covered / self.golds if self.golds else None

    @property
    def precision(self) -> float | None:
        return self.touching / self.findings if self.findings else None


@dataclasses.dataclass
class Result:
    scores: dict[str, Score]
    misses: list[Text]
    alarms: list[tuple[str, Text, str]]  # rule, text, what it took


def measure(texts: Sequence[Text], found: Sequence[Sequence[Span]]) -> Result:
    scores: dict[str, Score] = collections.defaultdict(Score)
    misses, alarms = [], []
    for text, spans in zip(texts, found, strict=True):
        for gold in text.golds:
            scores[gold.kind].golds += 1
            if is_covered(gold.begin, gold.end, spans):
                scores[gold.kind].covered += 1
            else:
                misses.append(text)
        for rule, begin, end in spans:
            score = scores[rule]
            score.findings += 1
            if any(begin < gold.end and gold.begin < end for gold in text.golds):
                score.touching += 1
            else:
                alarms.append((rule, text, text.text.encode()[begin:end].decode(errors="replace")))
    return Result(scores, misses, alarms)


def is_covered(begin: int, end: int, spans: Sequence[Span]) -> bool:
    at = begin
    for _, first, last in sorted(spans, key=lambda span: span[1]):
        if first <= at < last:
            at = last
    return at >= end


def overall(result: Result, kinds: Sequence[str]) -> Score:
    total = Score()
    for kind in kinds:
        score = result.scores.get(kind, Score())
        total.golds += score.golds
        total.covered += score.covered
        total.findings += score.findings
        total.touching += score.touching
    return total
