"""deploy/kubernetes and the shipped configurations, checked without a cluster."""

from __future__ import annotations

import copy
import pathlib
import subprocess
from typing import Any, Callable

import kubernetes_validate
import pytest

import manifests
import pod_security
from manifests import DEPLOY, documents, effective, only, pod_of, seconds, size_bytes

FILES = sorted(path.name for path in (DEPLOY / "kubernetes").glob("*.yaml"))
# The oldest that has native sidecars switched on, and the newest whose schemas we have.
KUBERNETES_OLDEST = "1.29"
KUBERNETES_NEWEST = kubernetes_validate.latest_version()
ENVIRONMENT = {"SPANGATE_HASH_KEY": manifests.HASH_KEY, "SPANGATE_KAFKA_BROKERS": "kafka-0:9092,kafka-1:9092"}
BESIDE_THE_BUDGET_BYTES = 64 * 2**20


def embedded(name: str) -> str:
    return only(name, "ConfigMap")["data"]["spangate.yaml"]


def gateway_pod(name: str) -> dict[str, Any]:
    return next(pod for document in documents(name) if (pod := pod_of(document)))


def gateway_container(name: str) -> dict[str, Any]:
    return next(c for c in pod_security.containers(gateway_pod(name)) if c["name"] == "spangate")


@pytest.mark.parametrize("version", [KUBERNETES_OLDEST, KUBERNETES_NEWEST])
@pytest.mark.parametrize("name", FILES)
def test_every_object_is_valid_for_kubernetes(name: str, version: str) -> None:
    for document in documents(name):
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("name", FILES)
def test_every_pod_passes_the_restricted_level(name: str) -> None:
    for document in documents(name):
        if pod := pod_of(document):
            assert pod_security.faults(pod) == []


@pytest.mark.parametrize("spoil", [
    lambda pod: pod.update(hostNetwork=True),
    lambda pod: pod["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
    lambda pod: pod["securityContext"].pop("runAsNonRoot"),
    lambda pod: pod["securityContext"].pop("seccompProfile"),
    lambda pod: pod["containers"][0]["securityContext"].update(runAsUser=0),
    lambda pod: pod["containers"][0]["securityContext"].pop("capabilities"),
    lambda pod: pod["containers"][0]["securityContext"]["capabilities"].update(add=["SYS_ADMIN"]),
    lambda pod: pod["containers"][0]["securityContext"].pop("allowPrivilegeEscalation"),
    lambda pod: pod["containers"][0]["securityContext"].update(privileged=True),
    lambda pod: pod["containers"][0]["ports"][0].update(hostPort=4317),
])
def test_the_restricted_level_is_really_looked_at(spoil: Callable[[dict[str, Any]], Any]) -> None:
    pod = copy.deepcopy(gateway_pod("daemonset.yaml"))
    spoil(pod)
    assert len(pod_security.faults(pod)) == 1


@pytest.mark.parametrize("name", FILES)
def test_the_gateway_has_a_root_file_system_that_cannot_be_written(name: str) -> None:
    for container in pod_security.containers(gateway_pod(name)):
        if container["image"].startswith("spangate:"):
            assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("name", FILES)
def test_the_image_carries_the_version_of_the_project(name: str) -> None:
    images = [container["image"] for container in pod_security.containers(gateway_pod(name))]
    assert f"spangate:{manifests.version()}" in images
    assert not [image for image in images if image.endswith(":latest") or ":" not in image]


@pytest.mark.parametrize("name", ["sidecar.yaml", "daemonset.yaml"])
def test_the_embedded_configuration_is_good(name: str, tmp_path: pathlib.Path) -> None:
    effective(embedded(name), tmp_path, {})


def test_the_guards_configuration_is_good_without_a_hash_key(tmp_path: pathlib.Path) -> None:
    (tmp_path / "password").write_text("secret\n")
    (tmp_path / "webhook").write_text("https://hooks.example.org/T/B\n")
    config, events = tmp_path / "spangate.yaml", tmp_path / "events"
    config.write_text(embedded("guard.yaml").replace(manifests.SECRETS, str(tmp_path)))
    events.mkdir()
    (events / "operational.jsonl").touch()
    result = subprocess.run(
        [str(manifests.binary()), "guard", "--config", str(config), "--from", str(events)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", ["image/spangate.yaml", "compose/spangate.yaml"])
def test_the_shipped_configuration_is_good(path: str, tmp_path: pathlib.Path) -> None:
    config = effective((DEPLOY / path).read_text(), tmp_path, ENVIRONMENT)
    assert config["exporters"]["kafka"]["brokers"] == ["kafka-0:9092", "kafka-1:9092"]


@pytest.mark.parametrize("path", ["image/spangate.yaml", "compose/spangate.yaml"])
def test_the_shipped_configuration_says_which_variables_it_misses(path: str, tmp_path: pathlib.Path) -> None:
    result = manifests.check((DEPLOY / path).read_text(), tmp_path, {})
    assert result.returncode == 2
    for name in ENVIRONMENT:
        assert f"the environment variable {name} is not set" in result.stderr + result.stdout


@pytest.mark.parametrize("name", ["sidecar.yaml", "daemonset.yaml"])
def test_the_container_has_the_memory_that_its_configuration_may_take(
    name: str, tmp_path: pathlib.Path
) -> None:
    budget = size_bytes(effective(embedded(name), tmp_path, {})["memory_bytes_max"])
    limit = size_bytes(gateway_container(name)["resources"]["limits"]["memory"])
    assert limit >= 2 * budget + BESIDE_THE_BUDGET_BYTES


@pytest.mark.parametrize("name", ["sidecar.yaml", "daemonset.yaml"])
def test_the_pod_waits_longer_than_the_gateway_drains(name: str, tmp_path: pathlib.Path) -> None:
    shutdown = effective(embedded(name), tmp_path, {})["shutdown"]
    drained_s = seconds(shutdown["accept_for"]) + seconds(shutdown["grace"])
    assert gateway_pod(name)["terminationGracePeriodSeconds"] > drained_s


@pytest.mark.parametrize("name", ["sidecar.yaml", "daemonset.yaml"])
def test_probes_ask_the_admin_endpoint_and_liveness_does_not_depend_on_kafka(
    name: str, tmp_path: pathlib.Path
) -> None:
    container = gateway_container(name)
    config = effective(embedded(name), tmp_path, {})
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert config["admin"]["endpoint"] == f"0.0.0.0:{ports['admin']}"
    for probe, path in {"startupProbe": "/healthz", "livenessProbe": "/healthz"}.items():
        assert container[probe]["httpGet"] == {"path": path, "port": "admin"}


def test_a_sidecar_never_takes_its_agent_out_of_service() -> None:
    assert "readinessProbe" not in gateway_container("sidecar.yaml")


def test_a_sidecar_starts_before_the_agent_and_ends_after_it() -> None:
    sidecar = gateway_pod("sidecar.yaml")["initContainers"][0]
    assert (sidecar["name"], sidecar["restartPolicy"]) == ("spangate", "Always")


def test_a_sidecar_listens_for_its_own_pod_only(tmp_path: pathlib.Path) -> None:
    protocols = effective(embedded("sidecar.yaml"), tmp_path, {})["receivers"]["otlp"]["protocols"]
    assert [protocols[name]["endpoint"].split(":")[0] for name in ("grpc", "http")] == ["127.0.0.1"] * 2


def test_the_service_leads_to_the_gateway_of_the_same_node(tmp_path: pathlib.Path) -> None:
    service = only("daemonset.yaml", "Service")["spec"]
    daemon_set = only("daemonset.yaml", "DaemonSet")["spec"]
    assert service["internalTrafficPolicy"] == "Local"
    assert service["selector"] == daemon_set["selector"]["matchLabels"]
    assert service["selector"].items() <= daemon_set["template"]["metadata"]["labels"].items()
    protocols = effective(embedded("daemonset.yaml"), tmp_path, {})["receivers"]["otlp"]["protocols"]
    ports = {port["name"]: port["containerPort"] for port in gateway_container("daemonset.yaml")["ports"]}
    for port in service["ports"]:
        protocol = port["name"].removeprefix("otlp-")
        assert protocols[protocol]["endpoint"] == f"0.0.0.0:{ports[port['targetPort']]}"


def test_a_gateway_of_a_node_asks_who_is_sending(tmp_path: pathlib.Path) -> None:
    auth = effective(embedded("daemonset.yaml"), tmp_path, {})["receivers"]["otlp"]["auth"]
    assert auth["bearer_tokens_file"] and not auth["allow_insecure"]


@pytest.mark.parametrize("name", ["sidecar.yaml", "daemonset.yaml"])
def test_every_mounted_volume_is_there(name: str) -> None:
    pod = gateway_pod(name)
    volumes = {volume["name"] for volume in pod["volumes"]}
    mounts = {m["name"] for c in pod_security.containers(pod) for m in c.get("volumeMounts", [])}
    assert mounts == volumes
