"""OpenLLMetry (traceloop-sdk). openai-agents is told twice: by its instrumentor and by openai's.

    openllmetry.py agents|langgraph
"""

from __future__ import annotations

import os
import sys

from story import SESSION_ID

os.environ["TRACELOOP_METRICS_ENABLED"] = "false"

if sys.argv[1] == "agents":
    import openai_agents_story as chosen
else:
    import langgraph_story as chosen

from opentelemetry import trace  # noqa: E402
from traceloop.sdk import Traceloop  # noqa: E402

if os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: E402
else:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: E402

Traceloop.init(app_name="openllmetry", exporter=OTLPSpanExporter(), telemetry_enabled=False)
Traceloop.set_association_properties({"session_id": SESSION_ID, "user_id": "user-77"})
chosen.tell()
trace.get_tracer_provider().shutdown()
