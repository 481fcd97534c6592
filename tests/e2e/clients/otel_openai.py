"""OpenTelemetry GenAI: opentelemetry-instrumentation-openai-v2 with its log records; the agent, its
tools and the hand-off are spans by hand, as an in-house agent writes them."""

from __future__ import annotations

import json

from story import (DOWN, LIMITED, MODEL, OPENAI_URL, PROMPT, REFUSING, SESSION_ID, STREAMED, SYSTEM,
                   TOOLS, attempt, run_tool, start_telemetry)

provider, finish = start_telemetry("otel-openai")

import openai  # noqa: E402: instrumented below, after the providers are set
from opentelemetry import trace  # noqa: E402
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor  # noqa: E402

OpenAIInstrumentor().instrument()
client = openai.OpenAI(base_url=OPENAI_URL, max_retries=2)
tracer = trace.get_tracer("refund")
SESSION = {"gen_ai.conversation.id": SESSION_ID}


def call_tool(call: object) -> str:
    name = call.function.name
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name,
                  "gen_ai.tool.call.id": call.id, "gen_ai.tool.type": "function",
                  "gen_ai.tool.call.arguments": call.function.arguments}
    with tracer.start_as_current_span(f"execute_tool {name}", attributes=attributes) as span:
        try:
            result = json.dumps(run_tool(name))
        except TimeoutError as error:
            span.record_exception(error)
            span.set_status(trace.StatusCode.ERROR, str(error))
            span.set_attribute("error.type", type(error).__name__)
            return f"Error: {error}"
        span.set_attribute("gen_ai.tool.call.result", result)
        return result


def refund() -> None:
    messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": PROMPT}]
    while True:
        answer = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS)
        message = answer.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            return
        for call in message.tool_calls:
            messages.append({"role": "tool", "tool_call_id": call.id, "content": call_tool(call)})


def ask(model: str, **options: object) -> object:
    return client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": PROMPT}], **options)


def agent(name: str) -> object:
    return tracer.start_as_current_span(f"invoke_agent {name}", attributes={
        "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name, **SESSION})


with agent("triage_agent"):
    with agent("refund_agent"):
        refund()
    for _ in ask(STREAMED, stream=True, stream_options={"include_usage": True}):
        pass
    ask(LIMITED)
    ask(REFUSING)
    attempt(lambda: client.with_options(max_retries=0).chat.completions.create(
        model=DOWN, messages=[{"role": "user", "content": PROMPT}]))
    client.embeddings.create(model="text-embedding-fake", input=[PROMPT])
finish()
