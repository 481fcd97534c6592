"""The Pod Security Standards' level «restricted», as far as a manifest shows it.

Source: Kubernetes documentation, «Pod Security Standards», the tables Baseline and Restricted.
"""

from __future__ import annotations

from typing import Any, Iterator

VOLUMES_ALLOWED = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image", "persistentVolumeClaim",
    "projected", "secret",
}
SECCOMP_ALLOWED = {"RuntimeDefault", "Localhost"}


def faults(pod: dict[str, Any]) -> list[str]:
    """What keeps this pod spec out of a namespace that enforces `restricted`; empty when nothing does."""
    found = list(_pod_faults(pod))
    for container in containers(pod):
        found += _container_faults(pod, container)
    return found


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    return [*pod.get("initContainers", []), *pod["containers"], *pod.get("ephemeralContainers", [])]


def _pod_faults(pod: dict[str, Any]) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.get(name):
            yield f"{name} is set"
    for volume in pod.get("volumes", []):
        for kind in set(volume) - {"name"} - VOLUMES_ALLOWED:
            yield f"volume {volume['name']} is a {kind}"
    if pod.get("securityContext", {}).get("sysctls"):
        yield "sysctls are set"


def _container_faults(pod: dict[str, Any], container: dict[str, Any]) -> Iterator[str]:
    name = container["name"]
    own = container.get("securityContext", {})
    effective = {**pod.get("securityContext", {}), **own}
    capabilities = own.get("capabilities", {})
    if own.get("privileged"):
        yield f"{name}: privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name}: allowPrivilegeEscalation is not false"
    if effective.get("runAsNonRoot") is not True:
        yield f"{name}: runAsNonRoot is not true"
    if effective.get("runAsUser") == 0:
        yield f"{name}: runAsUser is 0"
    if effective.get("seccompProfile", {}).get("type") not in SECCOMP_ALLOWED:
        yield f"{name}: no seccomp profile"
    if "ALL" not in capabilities.get("drop", []):
        yield f"{name}: capabilities are not dropped"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield f"{name}: capabilities are added"
    if own.get("procMount", "Default") != "Default":
        yield f"{name}: procMount is not Default"
    for port in container.get("ports", []):
        if port.get("hostPort"):
            yield f"{name}: hostPort {port['hostPort']}"
