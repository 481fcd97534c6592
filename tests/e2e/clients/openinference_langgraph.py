"""OpenInference for LangChain and LangGraph."""

from __future__ import annotations

from story import SESSION_ID, start_telemetry

provider, finish = start_telemetry("openinference-langgraph")

import langgraph_story  # noqa: E402
from openinference.instrumentation import using_session  # noqa: E402
from openinference.instrumentation.langchain import LangChainInstrumentor  # noqa: E402

LangChainInstrumentor().instrument(tracer_provider=provider)
with using_session(SESSION_ID):
    langgraph_story.tell()
finish()
