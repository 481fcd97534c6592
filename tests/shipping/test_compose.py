"""deploy/compose/compose.yaml, checked without a container engine."""

from __future__ import annotations

import importlib.resources
import json
import pathlib
from typing import Any

import jsonschema
import pytest
import yaml

import manifests
from manifests import DEPLOY, ROOT, effective, seconds, size_bytes

DIRECTORY = DEPLOY / "compose"
ENVIRONMENT = {"SPANGATE_HASH_KEY": manifests.HASH_KEY, "SPANGATE_KAFKA_BROKERS": "kafka:19092"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DIRECTORY / "compose.yaml").read_text())


def test_it_is_a_compose_file(compose: dict[str, Any]) -> None:
    schema = importlib.resources.files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json"
    jsonschema.validate(compose, json.loads(schema.read_text()))


def test_what_a_service_waits_for_is_there(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for other, wait in service.get("depends_on", {}).items():
            assert other in compose["services"], name
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in compose["services"][other]


def test_what_a_service_builds_from_and_mounts_is_there(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        if build := service.get("build"):
            context = (DIRECTORY / build["context"]).resolve()
            assert context == ROOT
            assert (context / build["dockerfile"]).exists()
        for volume in service.get("volumes", []):
            source, _, mode = volume.split(":")
            assert (DIRECTORY / source).is_file() and mode == "ro"


def test_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)


def test_images_are_pinned(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert images["spangate"] == images["topics"] == f"spangate:{manifests.version()}"
    assert not [image for image in images.values() if ":" not in image or image.endswith(":latest")]


@pytest.mark.parametrize("name", ["spangate", "topics"])
def test_the_program_runs_without_rights(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged") and "user" not in service


def test_the_gateway_gets_the_time_and_the_memory_it_may_take(
    compose: dict[str, Any], tmp_path: pathlib.Path
) -> None:
    config = effective((DIRECTORY / "spangate.yaml").read_text(), tmp_path, ENVIRONMENT)
    service = compose["services"]["spangate"]
    drained_s = seconds(config["shutdown"]["accept_for"]) + seconds(config["shutdown"]["grace"])
    assert seconds(service["stop_grace_period"]) > drained_s
    limit = service["mem_limit"].replace("m", "Mi")
    assert size_bytes(limit) >= 2 * size_bytes(config["memory_bytes_max"]) + 64 * 2**20


def test_one_broker_is_asked_for_one_replica(compose: dict[str, Any], tmp_path: pathlib.Path) -> None:
    config = effective((DIRECTORY / "spangate.yaml").read_text(), tmp_path, ENVIRONMENT)
    assert config["exporters"]["kafka"]["create"]["replication_factor"] == 1
    assert compose["services"]["spangate"]["environment"]["SPANGATE_KAFKA_BROKERS"] in (
        compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )
