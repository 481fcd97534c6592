"""What finds personal data in a text: ours, Presidio's recognisers, the Collector's regexes. Each
takes texts and answers with spans (what it calls them, begin, end) in bytes of the UTF-8 text.
"""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
from typing import Iterable

Span = tuple[str, int, int]


def spangate(binary: pathlib.Path, texts: Iterable[str]) -> list[list[Span]]:
    """`spangate redact --explain --json --lines`, one process for all texts."""
    lines, offsets = [], []
    for text in texts:
        line, starts = _line_of(text)
        lines.append(line)
        offsets.append(starts)
    result = subprocess.run(
        [str(binary), "redact", "--explain", "--json", "--lines"],
        input="\n".join(lines).encode() + b"\n", capture_output=True, timeout=600)
    assert result.returncode in (0, 1), result.stderr.decode()
    reports = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(reports) == len(lines), (len(reports), len(lines))
    found = []
    for report, starts in zip(reports, offsets):
        spans = []
        for hit in report["findings"]:
            begin, end = hit["byte"], hit["byte"] + hit["bytes"]
            spans.append((hit["rule"], starts[begin], starts[end]) if starts
                         else (hit["rule"], begin, end))
        found.append(spans)
    return found


def _line_of(text: str) -> tuple[str, list[int] | None]:
    """The text as one line of input, and where each byte of it stands in the text.

    A text of several lines, or one that opens like JSON, goes as the one string of a JSON array.
    """
    if "\n" not in text and not text.lstrip().startswith(("{", "[", '"')):
        return text, None
    line, starts = '["', [0, 0]
    at = 0
    for character in text:
        escaped = json.dumps(character, ensure_ascii=False)[1:-1]
        size = len(character.encode())
        starts += [at] if len(escaped) > 1 else range(at, at + size)
        starts += [at] * (len(escaped.encode()) - 1) if len(escaped) > 1 else []
        line += escaped
        at += size
    return line + '"]', starts + [at, at, at]


# The Collector's redaction processor knows regexes only: those of its README (Visa, Mastercard), and
# those that people write beside them.
COLLECTOR_RULES = {
    "card": (r"4[0-9]{12}(?:[0-9]{3})?", r"(5[1-5][0-9]{14})",
             r"\b(?:4\d{3}|5[1-5]\d{2}|6011|3[47]\d{2})[ -]?\d{4,6}[ -]?\d{4,5}(?:[ -]?\d{4})?\b"),
    "email": (r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}",),
    "bearer": (r"(?i:bearer)\s+[A-Za-z0-9._~+/=-]{16,}",),
    "vendor_keys": (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", r"\bsk-[A-Za-z0-9_-]{20,}"),
    "ssn": (r"\b\d{3}-\d{2}-\d{4}\b",),
    "ip": (r"\b(?:\d{1,3}\.){3}\d{1,3}\b",),
}


def collector(texts: Iterable[str]) -> list[list[Span]]:
    rules = [(kind, re.compile(rule.encode())) for kind, rules in COLLECTOR_RULES.items()
             for rule in rules]
    found = []
    for text in texts:
        coded = text.encode()
        found.append([(kind, match.start(), match.end()) for kind, rule in rules
                      for match in rule.finditer(coded)])
    return found


PRESIDIO_KINDS = {
    "EMAIL_ADDRESS": "email", "PHONE_NUMBER": "phone", "CREDIT_CARD": "card", "IBAN_CODE": "iban",
    "US_SSN": "ssn", "IP_ADDRESS": "ip", "MAC_ADDRESS": "mac",
}


def presidio(texts: Iterable[str]) -> list[list[tuple[float, Span]]]:
    """Presidio's pattern recognisers with their scores, with the words around as it uses them, and no
    model: none of these entities comes from one."""
    import logging

    logging.getLogger("presidio-analyzer").setLevel(logging.ERROR)
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer import predefined_recognizers as predefined
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    # Its own list of top-level domains, not today's from the net.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())

    class BlankEngine(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

    registry = RecognizerRegistry(supported_languages=["en"])
    for name in ("EmailRecognizer", "PhoneRecognizer", "CreditCardRecognizer", "IbanRecognizer",
                 "UsSsnRecognizer", "IpRecognizer", "MacAddressRecognizer"):
        registry.add_recognizer(getattr(predefined, name)())
    engine = AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(), supported_languages=["en"])
    found = []
    for text in texts:
        starts = [0]
        for character in text:
            starts.append(starts[-1] + len(character.encode()))
        results = engine.analyze(text, language="en", entities=list(PRESIDIO_KINDS))
        found.append([(r.score, (PRESIDIO_KINDS[r.entity_type], starts[r.start], starts[r.end]))
                      for r in results])
    return found


def scored(found: list[list[tuple[float, Span]]], score_min: float) -> list[list[Span]]:
    return [[span for score, span in spans if score >= score_min] for spans in found]
