"""The Node clients as programs to run: two generations of the Vercel AI SDK, Gemini CLI, Codex CLI.

They come from the npm registry, pinned by the lockfiles beside this file (environment.sh), ask the
model server and send their telemetry to a gateway. The outside world is out of their reach: what
they would look up there goes to a proxy that is not.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess

from gateway import Gateway

HERE = pathlib.Path(__file__).resolve().parent
INSTALL_TIMEOUT_S = 600
RUN_TIMEOUT_S = 120
NO_PROXY_THERE = "http://127.0.0.1:9"  # the discard port
# What an exporter of these clients writes when a gateway does not take its data.
EXPORT_FAULT = re.compile(
    r"export(er|ing)?\b.*(fail|error|timeout)|OTLP\w*Error|PartialSuccess|partial success|"
    r"ECONNREFUSED|UNAVAILABLE|UNIMPLEMENTED|INVALID_ARGUMENT|BatchLogProcessor|BatchSpanProcessor",
    re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Environment:
    """Where environment.sh put things."""

    ai_sdk: pathlib.Path
    gemini_cli: pathlib.Path
    codex: pathlib.Path

    @property
    def node(self) -> pathlib.Path:
        return next(self.ai_sdk.glob("node_modules/node-linux-*/bin/node"))

    @property
    def gemini_program(self) -> pathlib.Path:
        return self.gemini_cli / "node_modules" / "@google" / "gemini-cli" / "bundle" / "gemini.js"

    @property
    def codex_program(self) -> pathlib.Path:
        return next(self.codex.glob("node_modules/codex-linux-*/vendor/*/bin/codex"))


def make_environment() -> Environment:
    """Installs what is missing."""
    made = subprocess.run(
        [str(HERE / "environment.sh")], stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=INSTALL_TIMEOUT_S)
    assert made.returncode == 0, made.stderr[-3000:]
    return Environment(*(pathlib.Path(line) for line in made.stdout.split()))


@dataclasses.dataclass(frozen=True)
class Ended:
    """What a program left when it ended."""

    exit_code: int
    stdout: str
    stderr: str

    def export_faults(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if EXPORT_FAULT.search(line)]


def run(command: list[object], directory: pathlib.Path, variables: dict[str, str]) -> Ended:
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(directory), "NO_COLOR": "1",
        "HTTP_PROXY": NO_PROXY_THERE, "HTTPS_PROXY": NO_PROXY_THERE,
        "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
    } | variables
    work = directory / "work"
    work.mkdir()
    ended = subprocess.run(
        [str(part) for part in command], cwd=work, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=RUN_TIMEOUT_S)
    return Ended(ended.returncode, ended.stdout, ended.stderr)


@dataclasses.dataclass(frozen=True)
class Place:
    """What a client is pointed at: a model server's address, a gateway, a directory of its own."""

    model_url: str
    gateway: Gateway
    directory: pathlib.Path
    prompt: str


def run_ai_sdk(environment: Environment, place: Place, *, version: str, protocol: str, coding: str,
               service: str, session_id: str | None = None) -> Ended:
    # Node finds modules beside the program's own file.
    shutil.copy(HERE / "ai_sdk.mjs", place.directory)
    (place.directory / "node_modules").symlink_to(environment.ai_sdk / "node_modules")
    target = f"http://{place.gateway.grpc_target}" if protocol == "grpc" else place.gateway.http_url
    variables = {
        "MODEL_URL": f"{place.model_url}/v1", "OTEL_SERVICE_NAME": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": target, "OTEL_EXPORTER_OTLP_COMPRESSION": coding,
    } | ({"SESSION_ID": session_id} if session_id else {})
    return run([environment.node, place.directory / "ai_sdk.mjs", version, protocol, place.prompt],
               place.directory, variables)


def run_gemini_cli(environment: Environment, place: Place, session_id: str) -> Ended:
    """gRPC with gzip: traces, logs and metrics to one address, as is its default."""
    settings = place.directory / ".gemini" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({
        "privacy": {"usageStatisticsEnabled": False},
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "telemetry": {"enabled": True, "traces": True, "target": "local", "otlpProtocol": "grpc",
                      "otlpEndpoint": f"http://{place.gateway.grpc_target}", "logPrompts": True},
    }))
    return run(
        [environment.node, environment.gemini_program, "--approval-mode", "yolo", "--session-id",
         session_id, "-m", "gemini-2.5-flash", "-p", place.prompt],
        place.directory,
        {"GEMINI_API_KEY": "none", "GOOGLE_GEMINI_BASE_URL": place.model_url,
         "GEMINI_CLI_NO_RELAUNCH": "1", "GEMINI_CLI_TRUST_WORKSPACE": "true"})


CODEX_CONFIG = """\
model = "gpt-fake-codex"
model_provider = "local"
check_for_update_on_startup = false

[features]
plugins = false

[analytics]
enabled = false

[model_providers.local]
name = "local"
base_url = "{model_url}/v1"
wire_api = "responses"
env_key = "MODEL_KEY"

[otel]
environment = "e2e"
log_user_prompt = true
exporter = {{ otlp-http = {{ endpoint = "{gateway}/v1/logs", protocol = "json" }} }}
trace_exporter = {{ otlp-http = {{ endpoint = "{gateway}/v1/traces", protocol = "binary" }} }}
metrics_exporter = "none"
"""


def run_codex(environment: Environment, place: Place) -> Ended:
    """Logs in JSON, traces in protobuf."""
    home = place.directory / ".codex"
    home.mkdir()
    (home / "config.toml").write_text(
        CODEX_CONFIG.format(model_url=place.model_url, gateway=place.gateway.http_url))
    return run(
        [environment.codex_program, "exec", "--json", "--skip-git-repo-check",
         "--dangerously-bypass-approvals-and-sandbox", place.prompt],
        place.directory, {"CODEX_HOME": str(home), "MODEL_KEY": "none"})


def codex_session(ended: Ended) -> str:
    """The conversation's id, as Codex tells its user."""
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    return next(line["thread_id"] for line in lines if line["type"] == "thread.started")
