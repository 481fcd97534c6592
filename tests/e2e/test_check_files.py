"""Tables of one's own: `spangate check` tells all that is wrong, and a reload puts them in force."""

from __future__ import annotations

import json
import pathlib
import re

import pytest
import requests

from gateway import HASH_KEY, ROOT, Gateway, run
from otlp import post, request, span

GREEN, USAGE = 0, 2

GOOD_PRICES = "schema: agent-prices/1\nversion: {version}\nprices:\n  - {{model: toy, input: {input}, output: 0}}\n"
GOOD_CONVENTIONS = """\
schema: agent-semantics/2
conventions:
  - {id: fallback, priority: 1000, detect: {any: [{name_regex: '.*'}]},
     rules: [{when: {name_regex: '.*'}, emit: [{event: other, at: end}]}]}
"""
BAD_PRICES = """\
schema: agent-prices/1
version: mine
prices:
  - {modle: toy, input: 1, output: 1}
  - {model: toy, input: -1, output: 1}
  - {model: toy, from: soon, input: 1, output: 1}
"""
BAD_CONVENTIONS = """\
schema: agent-semantics/2
convetions: []
common_fields:
  no_such_field: [a]
"""


def written(directory: pathlib.Path, name: str, text: str) -> str:
    (directory / name).write_text(text)
    return str(directory / name)


def prices(directory: pathlib.Path, version: str, price: float) -> str:
    return written(directory, "prices.yaml", GOOD_PRICES.format(version=version, input=price))


@pytest.mark.parametrize("option, file", [
    ("--prices", "prices.yaml"), ("--conventions", "conventions.yaml")])
def test_the_built_in_tables_are_good(option: str, file: str) -> None:
    result = run("check", option, str(ROOT / "config" / file))
    assert result.returncode == GREEN, result.stderr
    assert "good" in result.stdout


def test_own_tables_are_good_together(tmp_path: pathlib.Path) -> None:
    result = run("check", "--prices", prices(tmp_path, "v1", 2),
                 "--conventions", written(tmp_path, "mine.yaml", GOOD_CONVENTIONS))
    assert result.returncode == GREEN, result.stderr
    assert result.stdout.count(": good\n") == 2


@pytest.mark.parametrize("option, text, faults", [
    ("--prices", BAD_PRICES,
     {4: "did you mean 'model'", 5: "USD per million tokens", 6: "a day such as"}),
    ("--conventions", BAD_CONVENTIONS,
     {2: "did you mean 'conventions'", 4: "unknown field 'no_such_field'"}),
])
def test_all_faults_of_a_table_are_told_at_once_with_their_places(
        tmp_path: pathlib.Path, option: str, text: str, faults: dict[int, str]) -> None:
    result = run("check", option, written(tmp_path, "bad.yaml", text))
    assert result.returncode == USAGE
    for line, words in faults.items():
        assert re.search(rf"bad\.yaml:{line}:\d+: .*{re.escape(words)}", result.stderr), result.stderr


@pytest.mark.parametrize("option", ["--prices", "--conventions"])
def test_a_table_that_is_not_there_is_told(tmp_path: pathlib.Path, option: str) -> None:
    result = run("check", option, str(tmp_path / "none.yaml"))
    assert result.returncode == USAGE
    assert "none.yaml: cannot be read" in result.stderr


def test_the_tables_that_a_configuration_names_are_checked_with_it(tmp_path: pathlib.Path) -> None:
    config = written(tmp_path, "spangate.yaml", json.dumps({
        "processors": {"redact": {"hash_key": HASH_KEY}, "interpret": {
            "prices_file": written(tmp_path, "bad_prices.yaml", BAD_PRICES),
            "conventions_file": written(tmp_path, "bad_conventions.yaml", BAD_CONVENTIONS)}},
        "exporters": {"kafka": {"brokers": ["127.0.0.1:9092"]}}}))
    result = run("check", "--config", config)
    assert result.returncode == USAGE
    assert re.search(r"bad_prices\.yaml:4:\d+: ", result.stderr), result.stderr
    assert re.search(r"bad_conventions\.yaml:4:\d+: ", result.stderr), result.stderr


def test_check_without_any_file_is_a_mistake() -> None:
    result = run("check")
    assert result.returncode == USAGE
    assert "--prices" in result.stderr


def test_a_reload_puts_other_prices_in_force_and_refuses_bad_ones(tmp_path: pathlib.Path) -> None:
    file = prices(tmp_path, "v1", 2)
    settings = {"processors": {"interpret": {"prices_file": file}},
                "exporters": {"jsonl": {"directory": str(tmp_path / "data")}}}
    with Gateway(tmp_path, settings).start().wait_until_ready() as gateway:
        assert told_cost(gateway, "one") == ("v1", 2.0)
        prices(tmp_path, "v2", 5)
        reload_url = f"{gateway.admin_url}/-/reload"
        assert requests.post(reload_url, timeout=10).ok
        assert told_cost(gateway, "two") == ("v2", 5.0)
        written(tmp_path, "prices.yaml", BAD_PRICES)
        refused = requests.post(reload_url, timeout=10)
        assert not refused.ok and "prices.yaml:4:" in refused.text
        assert told_cost(gateway, "three") == ("v2", 5.0)
        assert told_cost(gateway, "four", model="unheard-of") is None
        assert gateway.metrics().total("spangate_cost_unpriced_total", reason="no_price") == 1


def told_cost(gateway: Gateway, session_id: str, model: str = "toy") -> tuple[str, float] | None:
    """Version and cost on the event of a call with a million prompt tokens."""
    call = span("chat", {"gen_ai.operation.name": "chat", "gen_ai.request.model": model,
                         "gen_ai.usage.input_tokens": 1_000_000, "session.id": session_id})
    post(gateway.http_port, request([call]).SerializeToString()).response()
    lines = [json.loads(line)
             for file in (gateway.directory / "data").glob("operational*.jsonl")
             for line in file.read_text().splitlines()]
    event = next(line for line in lines
                 if line.get("session_id") == session_id and line.get("event_type") == "inference")
    if "cost_usd" not in event:
        assert "price_version" not in event and "cost_source" not in event
        return None
    assert event["cost_source"] == "computed"
    return re.sub(r"-h[0-9a-f]{8}$", "", event["price_version"]), event["cost_usd"]
