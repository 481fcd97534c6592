"""Reads what deploy/ ships, and asks the program what a shipped configuration means."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
from typing import Any

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
SECRETS = "/etc/spangate-secrets"
HASH_KEY = "0123456789abcdef" * 4
UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


def binary() -> pathlib.Path:
    return pathlib.Path(os.environ.get("SPANGATE_BINARY", ROOT / "build" / "spangate"))


def version() -> str:
    return re.search(r"project\(spangate VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def documents(name: str) -> list[dict[str, Any]]:
    """The objects of deploy/kubernetes/NAME."""
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))


def only(name: str, kind: str) -> dict[str, Any]:
    found = [document for document in documents(name) if document["kind"] == kind]
    assert len(found) == 1, f"{name}: {len(found)} of kind {kind}"
    return found[0]


def pod_of(document: dict[str, Any]) -> dict[str, Any] | None:
    return document.get("spec", {}).get("template", {}).get("spec")


def check(text: str, directory: pathlib.Path, environment: dict[str, str]) -> subprocess.CompletedProcess:
    """`spangate check --print` of a configuration, with a Secret's files where the text looks for them."""
    secrets = directory / "secrets"
    secrets.mkdir()
    (secrets / "hash-key").write_text(HASH_KEY + "\n")
    (secrets / "tokens").write_text("0123456789abcdef0123456789abcdef team-a\n")
    config = directory / "spangate.yaml"
    config.write_text(text.replace(SECRETS, str(secrets)))
    return subprocess.run(
        [str(binary()), "check", "--config", str(config), "--print"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
        env={"PATH": os.environ.get("PATH", ""), **environment},
    )


def effective(text: str, directory: pathlib.Path, environment: dict[str, str]) -> dict[str, Any]:
    """The configuration with every default, as the program reads it; it must be good."""
    result = check(text, directory, environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return yaml.safe_load(result.stdout)


def size_bytes(text: str | int) -> int:
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]*)", str(text)).groups()
    return int(number) * UNITS[unit]


def seconds(text: str | int) -> float:
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h|)", str(text)).groups()
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "": 1}[unit]
