"""OpenTelemetry GenAI, the newer packages: opentelemetry-instrumentation-genai-openai-agents tells
the agents and tools, -genai-openai the model calls."""

from __future__ import annotations

from story import start_telemetry

provider, finish = start_telemetry("genai-agents")

import openai_agents_story  # noqa: E402
from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor  # noqa: E402
from opentelemetry.instrumentation.genai.openai_agents import OpenAIAgentsInstrumentor  # noqa: E402

OpenAIInstrumentor().instrument(tracer_provider=provider)
OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
openai_agents_story.tell()
finish()
