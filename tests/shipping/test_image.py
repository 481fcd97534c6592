"""The container image: built from the checkout without a container engine, and started."""

from __future__ import annotations

import contextlib
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import time
from typing import Any, Iterator

import pytest
import requests

import image_builder
import manifests

pytestmark = [
    pytest.mark.skipif(bool(image_builder.missing()), reason=image_builder.missing() or "-"),
    pytest.mark.timeout(image_builder.BASE_TIMEOUT_S + image_builder.BUILD_TIMEOUT_S),
]
USER_ID = 65532
SIZE_BYTES_MAX = 64 * 2**20
READY_TIMEOUT_S = 30
SPAN = {"resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shipping"}}]},
    "scopeSpans": [{"spans": [{
        "traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "chat m",
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000",
        "attributes": [
            {"key": "gen_ai.operation.name", "value": {"stringValue": "chat"}},
            {"key": "gen_ai.conversation.id", "value": {"stringValue": "shipping-1"}},
        ],
    }]}],
}]}


class Image:
    def __init__(self, tree: pathlib.Path, settings: dict[str, Any]) -> None:
        self.tree = tree
        self.settings = settings

    def command(self, mounts: dict[pathlib.Path, str], over: list[str] | None = None) -> list[str]:
        """The image's own start, as an engine would: its user, a read-only root, mounts of the caller's."""
        user = self.settings["User"]
        script = ["set -e", f"mount --bind {self.tree} {self.tree}"]
        script += [f"mount --bind {source} {self.tree}{target}" for source, target in mounts.items()]
        script.append(f"mount -o remount,ro,bind {self.tree}")
        script.append(f'exec chroot --userspec={user} --groups= {self.tree} "$@"')
        words = self.settings["Entrypoint"] + (self.settings["Cmd"] if over is None else over)
        return ["unshare", "--mount", "sh", "-c", "\n".join(script), "sh", *words]


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    directory = tmp_path_factory.mktemp("image")
    builder = image_builder.Builder(directory)
    builder.import_base(image_builder.base_tree())
    builder.build()
    yield Image(builder.unpack(), builder.settings())
    shutil.rmtree(directory, ignore_errors=True)  # vfs keeps whole copies of the compile stage


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def test_it_runs_as_a_user_without_rights_and_serves_by_default(image: Image) -> None:
    assert image.settings["User"] == f"{USER_ID}:{USER_ID}"
    assert image.settings["Entrypoint"] == ["/usr/bin/spangate"]
    assert image.settings["Cmd"] == ["serve", "--config", "/etc/spangate/spangate.yaml"]
    assert set(image.settings["ExposedPorts"]) == {"4317/tcp", "4318/tcp", "9464/tcp"}


def test_it_holds_the_program_and_little_else(image: Image) -> None:
    files = [path for path in image.tree.rglob("*") if path.is_file() and not path.is_symlink()]
    size_bytes = sum(path.stat().st_size for path in files)
    largest = sorted(files, key=lambda path: -path.stat().st_size)[:5]
    print(f"image: {size_bytes / 2**20:.1f} MiB, largest: " + ", ".join(
        f"{path.name} {path.stat().st_size / 2**20:.1f}" for path in largest))
    assert size_bytes < SIZE_BYTES_MAX
    assert not [path for path in files if path.name in ("sh", "bash", "busybox", "apt-get", "dpkg")]
    assert [path.name for path in (image.tree / "etc/ssl/certs").iterdir()] == ["ca-certificates.crt"]


def test_nothing_in_it_belongs_to_its_user_but_its_data(image: Image) -> None:
    owned = [path for path in image.tree.rglob("*") if path.lstat().st_uid == USER_ID]
    assert owned == [image.tree / "var/lib/spangate"]


def test_it_says_which_version_it_is(image: Image) -> None:
    result = subprocess.run(image.command({}, ["--version"]), capture_output=True, text=True, timeout=30)
    assert result.returncode == 0, result.stderr
    assert manifests.version() in result.stdout


def test_without_its_variables_it_says_what_it_misses(image: Image) -> None:
    result = subprocess.run(image.command({}), capture_output=True, text=True, timeout=30, env={})
    assert result.returncode == 2
    for name in ("SPANGATE_KAFKA_BROKERS", "SPANGATE_HASH_KEY"):
        assert f"the environment variable {name} is not set" in result.stderr


def test_it_stores_a_span_and_ends_when_told(image: Image, tmp_path: pathlib.Path) -> None:
    grpc_port, http_port, admin_port = free_ports(3)
    config, data = tmp_path / "config", tmp_path / "data"
    config.mkdir()
    data.mkdir()
    shutil.chown(data, USER_ID, USER_ID)
    (config / "spangate.yaml").write_text(json.dumps({
        "receivers": {"otlp": {"protocols": {
            "grpc": {"endpoint": f"127.0.0.1:{grpc_port}"},
            "http": {"endpoint": f"127.0.0.1:{http_port}"},
        }}},
        "processors": {"redact": {"hash_key": manifests.HASH_KEY}},
        "exporters": {"jsonl": {"directory": "/var/lib/spangate"}},
        "shutdown": {"accept_for": "0s"},
        "admin": {"endpoint": f"127.0.0.1:{admin_port}"},
    }))
    log_file = tmp_path / "log"
    with open(log_file, "wb") as log:
        process = subprocess.Popen(
            image.command({config: "/etc/spangate", data: "/var/lib/spangate"}),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={},
        )
    try:
        wait_until_ready(process, admin_port, log_file)
        status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
        assert f"Uid:\t{USER_ID}\t{USER_ID}\t{USER_ID}\t{USER_ID}" in status
        reply = requests.post(f"http://127.0.0.1:{http_port}/v1/traces", json=SPAN, timeout=10)
        assert reply.status_code == 200, reply.text
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, log_file.read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    lines = (data / "operational.jsonl").read_text().splitlines()
    assert any("shipping-1" in line for line in lines)


def wait_until_ready(process: subprocess.Popen, admin_port: int, log_file: pathlib.Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"exit code {process.returncode}: {log_file.read_text()}"
        with contextlib.suppress(requests.RequestException):
            if requests.get(f"http://127.0.0.1:{admin_port}/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"not ready in {READY_TIMEOUT_S} s: {log_file.read_text()}")
