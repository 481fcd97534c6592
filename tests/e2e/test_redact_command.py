"""`spangate redact` and `spangate check --redact-samples` as people and pipelines call them."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

from gateway import HASH_KEY, ROOT, binary, run

CLEAN, FINDINGS, USAGE, BROKEN = 0, 1, 2, 5
PERSON = "jane.doe@example.com"


def redact(text: str | bytes, *arguments: str) -> subprocess.CompletedProcess:
    coded = text.encode() if isinstance(text, str) else text
    return subprocess.run([str(binary()), "redact", *arguments], input=coded, capture_output=True,
                          timeout=30)


def config(directory: pathlib.Path, **settings: object) -> str:
    path = directory / "spangate.yaml"
    path.write_text(json.dumps({"processors": {"redact": {"hash_key": HASH_KEY} | settings}}))
    return str(path)


def test_text_comes_out_redacted_and_the_exit_code_tells() -> None:
    found = redact(f"write to {PERSON}\nor not\n")
    assert found.stdout == b"write to [email]\nor not\n"
    assert found.returncode == FINDINGS
    clean = redact("nothing here\n")
    assert (clean.stdout, clean.returncode) == (b"nothing here\n", CLEAN)


def test_json_stays_json_and_is_redacted_by_structure() -> None:
    document = {"a": [1, {"to": PERSON}], "json": json.dumps({"card": 4111111111111111})}
    out = json.loads(redact(json.dumps(document)).stdout)
    assert out["a"] == [1, {"to": "[email]"}]
    assert json.loads(out["json"]) == {"card": "[card]"}


def test_what_is_no_utf_8_passes_through() -> None:
    assert redact(b"\xff\xfe jane\x00").stdout == b"\xff\xfe jane\x00"


def test_explain_tells_rule_place_and_action_and_never_the_value() -> None:
    done = redact(f"first\nmail {PERSON}", "--explain")
    assert done.stdout == b"first\nmail [email]"
    told = done.stderr.decode()
    assert "2:6 (byte 11) email: mask, 20 characters of text, becomes [email]" in told
    assert PERSON not in told


def test_json_for_machines_names_each_document_of_a_stream() -> None:
    lines = [json.dumps({"to": PERSON}), "plain", "+14155550132"]
    done = redact("\n".join(lines) + "\n", "--explain", "--json", "--lines")
    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [report["line"] for report in reports] == [1, 2, 3]
    assert [report["changed"] for report in reports] == [True, False, True]
    assert reports[0]["findings"][0] | {"rule": "email", "byte": 8, "bytes": len(PERSON)} == reports[0]["findings"][0]
    assert reports[2]["redacted"] == "[phone]"
    assert PERSON not in done.stdout.decode() + done.stderr.decode()


def test_the_rules_and_the_key_are_those_of_the_configuration(tmp_path: pathlib.Path) -> None:
    rules = config(tmp_path, detectors=["card"],
                   patterns=[{"name": "ticket", "regex": "TKT-[0-9]{6}", "action": "hash"}])
    once = redact(f"TKT-123456 {PERSON}", "--config", rules)
    again = redact(f"TKT-123456 {PERSON}", "--config", rules)
    assert once.stdout == again.stdout
    assert once.stdout.endswith(PERSON.encode()) and b"123456" not in once.stdout
    assert b"hash key" not in once.stderr
    assert re.search(rb"hash key.*this run", redact("x").stderr)


def test_a_file_is_read_by_name_and_faults_have_their_codes(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "in.txt"
    file.write_text(PERSON)
    done = run("redact", str(file))
    assert (done.stdout, done.returncode) == ("[email]", FINDINGS)
    assert run("redact", str(tmp_path / "none")).returncode == BROKEN
    assert run("redact", str(tmp_path)).returncode == BROKEN
    assert run("redact", "--no-such-flag").returncode == USAGE
    bad = tmp_path / "bad.yaml"
    bad.write_text("processors: {redact: {detektors: all}}")
    assert run("redact", "--config", str(bad), str(file)).returncode == USAGE


def test_the_bundled_samples_are_as_expected() -> None:
    done = run("check", "--redact-samples", str(ROOT / "config" / "redact-samples.example.yaml"))
    assert done.returncode == CLEAN, done.stdout + done.stderr
    assert "13 samples, 13 as expected, 0 not" in done.stdout


def test_a_miss_and_a_false_alarm_fail_the_check(tmp_path: pathlib.Path) -> None:
    samples = tmp_path / "samples.jsonl"
    samples.write_text("\n".join(json.dumps(one) for one in (
        {"text": f"to {PERSON}", "expect": ["email"]},
        {"text": f"to {PERSON}", "expect": "clean", "name": "should not"},
        {"text": "nothing", "expect": ["card"]},
        {"text": "😀 4111111111111111", "expect": [{"kind": "card", "value": "4111111111111111"}]},
    )))
    done = run("check", "--config", config(tmp_path), "--redact-samples", str(samples))
    assert done.returncode == FINDINGS
    assert f"{samples}:2: false alarm: email at bytes 3 to 23 (should not)" in done.stdout
    assert f"{samples}:3: miss: card" in done.stdout
    assert "4 samples, 2 as expected, 2 not" in done.stdout
    assert PERSON not in done.stdout + done.stderr


def test_a_sample_file_that_is_wrong_is_a_usage_fault(tmp_path: pathlib.Path) -> None:
    samples = tmp_path / "samples.yaml"
    samples.write_text("- {text: a, expect: [emial]}\n- {text: b}\n")
    done = run("check", "--redact-samples", str(samples))
    assert done.returncode == USAGE and f"{samples}:2:3" in done.stderr
    samples.write_text("- {text: a, expect: [emial]}\n")
    done = run("check", "--redact-samples", str(samples))
    assert done.returncode == USAGE and "no rule is called 'emial'" in done.stderr
    assert run("check", "--redact-samples", str(tmp_path / "none")).returncode == BROKEN
