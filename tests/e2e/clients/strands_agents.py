"""Strands Agents with its own telemetry: the tool loop, a swarm that hands off, refusal and error."""

from __future__ import annotations

import json
import os

from story import (DOWN, LIMITED, MODEL, OPENAI_URL, PROMPT, REFUSING, SESSION_ID, SYSTEM, attempt,
                   tool_functions)

os.environ.setdefault("OTEL_SERVICE_NAME", "strands")

from opentelemetry import trace  # noqa: E402
from strands import Agent, tool  # noqa: E402
from strands.models.openai import OpenAIModel  # noqa: E402
from strands.multiagent import Swarm  # noqa: E402
from strands.telemetry import StrandsTelemetry  # noqa: E402

StrandsTelemetry().setup_otlp_exporter()
SESSION = {"session.id": SESSION_ID}


def agent(name: str, model: str, **options: object) -> Agent:
    client = {"base_url": OPENAI_URL, "api_key": "sk-test", "max_retries": 2}
    return Agent(name=name, model=OpenAIModel(client_args=client, model_id=model),
                 callback_handler=None, trace_attributes=SESSION, **options)


agent("refund_agent", MODEL, tools=[tool(function) for function in tool_functions()],
      system_prompt=SYSTEM)(PROMPT)
for model in (LIMITED, REFUSING, DOWN):
    attempt(lambda: agent("solo_agent", model)(PROMPT))
swarm = Swarm([agent("triage_agent", MODEL), agent("refund_agent", "gpt-fake-quiet")],
              trace_attributes=SESSION)
attempt(lambda: swarm(PROMPT))
trace.get_tracer_provider().shutdown()
