"""Pydantic AI with its own instrumentation: an agent that delegates to another by a tool."""

from __future__ import annotations

import json

from story import (DOWN, LIMITED, MODEL, OPENAI_URL, PROMPT, REFUSING, SESSION_ID, STREAMED, SYSTEM,
                   attempt, run_tool, start_telemetry)

provider, finish = start_telemetry("pydantic-ai")

from pydantic_ai import Agent, ModelRetry, RunContext  # noqa: E402
from pydantic_ai.models.instrumented import InstrumentationSettings  # noqa: E402
from pydantic_ai.models.openai import OpenAIChatModel  # noqa: E402
from pydantic_ai.providers.openai import OpenAIProvider  # noqa: E402

Agent.instrument_all(InstrumentationSettings(include_content=True))


def model(name: str) -> OpenAIChatModel:
    return OpenAIChatModel(name, provider=OpenAIProvider(base_url=OPENAI_URL, api_key="sk-test"))


refund = Agent(model(MODEL), name="refund_agent", instructions=SYSTEM)
triage = Agent(model(MODEL), name="triage_agent", instructions=SYSTEM)


@refund.tool_plain
def lookup_customer(email: str, phone: str) -> str:
    return json.dumps(run_tool("lookup_customer"))


@refund.tool_plain(retries=4)
def flaky_tool(api_key: str, attempt_note: str) -> str:
    try:
        return json.dumps(run_tool("flaky_tool"))
    except TimeoutError as error:
        raise ModelRetry(f"error: {error}") from error


@refund.tool_plain
def charge_card(card_number: str, amount: float, iban: str) -> str:
    return json.dumps(run_tool("charge_card"))


@triage.tool
async def transfer_to_refund_agent(context: RunContext, note: str) -> str:
    """Delegate to the refund agent."""
    answer = await refund.run(PROMPT, usage=context.usage, conversation_id=SESSION_ID)
    return str(answer.output)


def ask(name: str) -> None:
    Agent(model(name), name="solo_agent").run_sync(PROMPT, conversation_id=SESSION_ID)


async def stream() -> None:
    agent = Agent(model(STREAMED), name="streaming_agent")
    async with agent.run_stream(PROMPT, conversation_id=SESSION_ID) as result:
        await result.get_output()


import asyncio  # noqa: E402

triage.run_sync(PROMPT, conversation_id=SESSION_ID)
asyncio.run(stream())
for name in (LIMITED, REFUSING, DOWN):
    attempt(lambda: ask(name))
finish()
