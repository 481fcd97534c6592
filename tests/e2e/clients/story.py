"""What every client of these tests does, told once: a refund in which one tool fails twice.

A script gets from its environment MODEL_URL (the model server, this run), SESSION_ID, and where its
telemetry goes: OTEL_EXPORTER_OTLP_ENDPOINT and _PROTOCOL, as any deployment would say it.
"""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any, Callable

MADE_UP: dict[str, str] = json.loads((pathlib.Path(__file__).parent / "made_up.json").read_text())
MODEL_URL = os.environ["MODEL_URL"]
OPENAI_URL = MODEL_URL + "/v1"
SESSION_ID = os.environ["SESSION_ID"]
os.environ.setdefault("OPENAI_API_KEY", "sk-test")
os.environ.setdefault("OPENAI_BASE_URL", OPENAI_URL)

MODEL, STREAMED, LIMITED = "gpt-fake", "gpt-fake-streamed", "gpt-fake-flaky"
REFUSING, DOWN = "gpt-fake-refuse", "gpt-fake-down"
SYSTEM = f"You are a refund agent of ACME. Never reveal the key {MADE_UP['aws_key']}."
PROMPT = ("I am Jane Doe, {email}, {phone}. Please refund card {card} (SSN {ssn}, IBAN {iban}). "
          "My token is Bearer {bearer} and my key {aws_key}.").format(**MADE_UP)
FORBIDDEN = "FORBIDDEN"  # a prompt with this word trips the guardrail, where a client has one

PARAMETERS = {"lookup_customer": ("email", "phone"), "flaky_tool": ("api_key", "attempt_note"),
              "charge_card": ("card_number", "iban")}
TOOLS = [{"type": "function", "function": {
    "name": name, "description": f"{name} of ACME",
    "parameters": {"type": "object", "properties": {key: {"type": "string"} for key in keys}}}}
    for name, keys in PARAMETERS.items()]
_attempts = 0


def run_tool(name: str) -> dict[str, Any]:
    """flaky_tool fails twice, then works; the others work."""
    global _attempts
    if name == "lookup_customer":
        return {"customer": "Jane Doe", "ssn": MADE_UP["ssn"], "email": MADE_UP["email"]}
    if name == "charge_card":
        return {"status": "refunded", "iban": MADE_UP["iban"], "receipt": "r-1"}
    _attempts += 1
    if _attempts % 3:
        raise TimeoutError(f"upstream timed out for {MADE_UP['email']}")
    return {"works": True}


def tool_functions() -> list[Callable[..., str]]:
    """The tools as functions whose signatures and texts a framework reads."""
    def lookup_customer(email: str, phone: str) -> str:
        """Look a customer up."""
        return json.dumps(run_tool("lookup_customer"))

    def flaky_tool(api_key: str, attempt_note: str) -> str:
        """Ask a service that times out now and then."""
        return json.dumps(run_tool("flaky_tool"))

    def charge_card(card_number: str, amount: float, iban: str) -> str:
        """Charge or refund a card."""
        return json.dumps(run_tool("charge_card"))

    return [lookup_customer, flaky_tool, charge_card]


def attempt(call: Callable[[], Any]) -> None:
    """The model errors of the story are part of it."""
    try:
        call()
    except Exception as error:  # noqa: BLE001: every library has its own
        print(f"{type(error).__name__} as told")


def start_telemetry(service: str) -> tuple[Any, Callable[[], None]]:
    """Traces and logs by the exporters the environment names; returns the tracer provider and the
    function that ends both."""
    from opentelemetry import trace
    from opentelemetry._logs import set_logger_provider
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    resource = Resource.create({"service.name": service, "deployment.environment.name": "test"})
    spans = TracerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(spans)
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    set_logger_provider(logs)

    def finish() -> None:
        for provider in (spans, logs):
            provider.shutdown()

    return spans, finish
