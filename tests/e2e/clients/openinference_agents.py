"""OpenInference for openai-agents."""

from __future__ import annotations

from story import SESSION_ID, start_telemetry

provider, finish = start_telemetry("openinference-agents")

import openai_agents_story  # noqa: E402
from openinference.instrumentation import using_session  # noqa: E402
from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor  # noqa: E402

OpenAIAgentsInstrumentor().instrument(tracer_provider=provider)
with using_session(SESSION_ID):
    openai_agents_story.tell()
finish()
