"""What the model server's answers have in common: which tool to call next, what a call costs, and
the ledger of the usage returned."""

from __future__ import annotations

import collections
import json
import pathlib
import re
import threading
import uuid
from typing import Any

MADE_UP: dict[str, str] = json.loads((pathlib.Path(__file__).parent / "made_up.json").read_text())
PERSON = ("Jane Doe, {email}, {phone}, card {card}, SSN {ssn}, IBAN {iban}, Bearer {bearer}, "
          "{aws_key}").format(**MADE_UP)
TOOL_ATTEMPTS_MAX = 3
OFFERED_TOOLS_MAX = 6  # more are a coding agent's: only the harmless ones below are called
HARMLESS = ("exec_command", "shell_command", "shell", "update_plan", "read_file", "list_directory")
MISSING = f"/nonexistent/{MADE_UP['email']}"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "lookup_customer": {"email": MADE_UP["email"], "phone": MADE_UP["phone"]},
    "charge_card": {"card_number": MADE_UP["card"], "amount": 42.5, "iban": MADE_UP["iban"]},
    "flaky_tool": {"api_key": MADE_UP["aws_key"], "attempt_note": "call me until I work"},
    "send_mail": {"to": MADE_UP["email"], "body": f"Bearer {MADE_UP['bearer']}"},
    "transfer_to_agent": {"agent_name": "refund_agent"},
    "handoff_to_agent": {"agent_name": "refund_agent", "message": f"refund {MADE_UP['email']}",
                         "context": {"iban": MADE_UP["iban"]}},
    "exec_command": {"cmd": f"cat {MISSING}"},
    "shell_command": {"command": f"cat {MISSING}"},
    "shell": {"command": ["cat", MISSING]},
    "update_plan": {"plan": [{"step": f"refund card {MADE_UP['card']}", "status": "in_progress"}]},
    "read_file": {"file_path": f"nonexistent-{MADE_UP['email']}.txt", "absolute_path": MISSING},
    "list_directory": {"dir_path": ".", "path": "."},
}
BY_TYPE = {"string": f"for {MADE_UP['email']}", "number": 1.5, "integer": 1, "boolean": True,
           "array": [], "object": {}}
SIGNS_OF_ERROR = re.compile(r"error|exception|timed out|retry|unavailable", re.IGNORECASE)

Tool = tuple[str, dict[str, Any]]


def new_id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex[:12]


class Usage:
    """What one call costs; the n-th call of a run has numbers of its own."""

    def __init__(self, number: int) -> None:
        self.prompt, self.completion = 120 + number, 45 + number
        self.cached, self.cache_write, self.reasoning = 64, 0, 16

    @property
    def total(self) -> int:
        return self.prompt + self.completion


class Ledger:
    """The usage returned, by run and model. Safe for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, dict[str, collections.Counter]] = {}
        self._ids: dict[tuple[str, str], list[str]] = collections.defaultdict(list)
        self._calls: collections.Counter = collections.Counter()
        self._flaky: collections.Counter = collections.Counter()

    def next_usage(self, run: str) -> Usage:
        with self._lock:
            self._calls[run] += 1
            return Usage(self._calls[run])

    def is_refused_now(self, run: str, model: str) -> bool:
        with self._lock:
            self._flaky[run, model] += 1
            return self._flaky[run, model] % 2 == 1

    def record(self, run: str, model: str, response_id: str, usage: Usage | None) -> None:
        with self._lock:
            totals = self._totals(run, model)
            totals["calls"] += 1
            if response_id:
                self._ids[run, model].append(response_id)
            if usage is None:
                return
            totals["prompt_tokens"] += usage.prompt
            totals["completion_tokens"] += usage.completion
            totals["cached_tokens"] += usage.cached
            totals["cache_write_tokens"] += usage.cache_write
            totals["reasoning_tokens"] += usage.reasoning

    def record_error(self, run: str, model: str) -> None:
        with self._lock:
            self._totals(run, model)["errors"] += 1

    def report(self, run: str | None) -> dict[str, Any]:
        with self._lock:
            return {
                name: {model: {**totals, "response_ids": list(self._ids[name, model])}
                       for model, totals in models.items()}
                for name, models in self._runs.items() if run in (None, name)
            }

    def _totals(self, run: str, model: str) -> collections.Counter:
        return self._runs.setdefault(run, {}).setdefault(model, collections.Counter(
            calls=0, errors=0, prompt_tokens=0, completion_tokens=0, cached_tokens=0,
            cache_write_tokens=0, reasoning_tokens=0))


def is_handoff(name: str) -> bool:
    return name.startswith(("transfer_to", "handoff", "delegate_to"))


def arguments_of(name: str, schema: dict[str, Any] | None) -> dict[str, Any]:
    if name in ARGUMENTS:
        return ARGUMENTS[name]
    properties = (schema or {}).get("properties", {})
    return {key: BY_TYPE.get(str(value.get("type", "")).lower(), "x")
            for key, value in properties.items()}


def next_tool(model: str, offered: list[Tool], called: list[str],
              results: dict[str, str]) -> Tool | None:
    """The call to make now, with its arguments; None when the work is done."""
    if "quiet" in model:
        return None
    if len(offered) > OFFERED_TOOLS_MAX:
        offered = [tool for tool in offered if tool[0] in HARMLESS]
    for name, schema in sorted(offered, key=lambda tool: is_handoff(tool[0])):
        attempts = called.count(name)
        failed = bool(SIGNS_OF_ERROR.search(results.get(name, "")))
        if attempts == 0 or (failed and attempts < TOOL_ATTEMPTS_MAX and not is_handoff(name)):
            return name, arguments_of(name, schema)
    return None


def final_text(model: str) -> str:
    if "long" in model:
        return f"The refund for {PERSON} is on its way. " * 280
    return f"Done. Summary for {PERSON}."


def answered_model(model: str) -> str:
    return model + "-2026-01-01"


class Answer:
    """A reply: `events` makes it a stream of (event name or None, data)."""

    def __init__(self, body: Any, status: int = 200,
                 events: list[tuple[str | None, Any]] | None = None,
                 headers: dict[str, str] | None = None) -> None:
        self.body, self.status, self.events, self.headers = body, status, events, headers or {}


class Request:
    """A request that is to be answered, with what the server knows of its run."""

    def __init__(self, ledger: Ledger, run: str, body: dict[str, Any], model: str) -> None:
        self.ledger, self.run, self.body, self.model = ledger, run, body, model

    def usage(self) -> Usage:
        return self.ledger.next_usage(self.run)

    def returned(self, response_id: str, usage: Usage | None) -> None:
        self.ledger.record(self.run, self.model, response_id, usage)

    def fault(self) -> int:
        """The status to fail with; 0 to go on."""
        if "down" in self.model:
            self.ledger.record_error(self.run, self.model)
            return 500
        if "flaky" in self.model and self.ledger.is_refused_now(self.run, self.model):
            self.ledger.record_error(self.run, self.model)
            return 429
        return 0


def retry_after(status: int) -> dict[str, str]:
    return {"Retry-After": "0", "retry-after-ms": "20"} if status == 429 else {}


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
