"""The goals of the redaction detectors on a labelled corpus: a short version of `make redact-quality`,
without what it compares with. Run with -s to see the table."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECALL_MIN = 0.99
PRECISION_MIN = 0.98
NATIONAL_RECALL_MIN = 0.95  # no form of their own: told by the words around
PER_LOCALE = 20  # values of each kind and locale; some seconds

# The first run makes the corpus's environment.
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def scores(tmp_path_factory: pytest.TempPathFactory) -> dict:
    binary = pathlib.Path(os.environ.get("SPANGATE_BINARY", ROOT / "build" / "spangate"))
    made = subprocess.run([str(HERE.parent / "e2e" / "environment.sh"), "quality"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    report = tmp_path_factory.mktemp("quality") / "scores.json"
    done = subprocess.run(
        [made.stdout.strip(), str(HERE / "quality.py"), "--binary", str(binary), "--only", "spangate",
         "--per-locale", str(PER_LOCALE), "--misses", "--json", str(report)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    print("\n" + done.stdout)
    return json.loads(report.read_text())["spangate"]


STRUCTURED = ("email", "phone", "card", "iban", "ssn", "jwt", "bearer", "vendor_keys", "private_key",
              "url_credentials", "connection_string", "ip", "mac", "entropy")


@pytest.mark.parametrize("kind", STRUCTURED)
def test_a_structured_kind_is_found_and_little_else(scores: dict, kind: str) -> None:
    score = scores[kind]
    assert score["golds"] > 0
    assert score["recall"] >= RECALL_MIN, score
    assert score["precision"] >= PRECISION_MIN, score


def test_a_national_number_beside_a_word_for_telephone_is_found(scores: dict) -> None:
    assert scores["phone_national"]["recall"] >= NATIONAL_RECALL_MIN, scores["phone_national"]


def test_all_structured_kinds_together_are_found_and_little_else(scores: dict) -> None:
    total = scores["structured"]
    assert total["recall"] >= RECALL_MIN, total
    assert total["precision"] >= PRECISION_MIN, total
