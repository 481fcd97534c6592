"""Google ADK with a Gemini model: triage transfers to the refund agent, which has the tools."""

from __future__ import annotations

import asyncio
import os

from story import (DOWN, LIMITED, MODEL_URL, PROMPT, REFUSING, SESSION_ID, SYSTEM, run_tool,
                   start_telemetry)

os.environ["GOOGLE_API_KEY"] = "test"
os.environ["GOOGLE_GEMINI_BASE_URL"] = MODEL_URL
provider, finish = start_telemetry("google-adk")

from google.adk.agents import LlmAgent, RunConfig  # noqa: E402
from google.adk.agents.run_config import StreamingMode  # noqa: E402
from google.adk.models import Gemini  # noqa: E402
from google.adk.runners import InMemoryRunner  # noqa: E402
from google.genai import types  # noqa: E402

MODEL = "gemini-fake"


def lookup_customer(email: str, phone: str) -> dict:
    """Look a customer up."""
    return run_tool("lookup_customer")


def flaky_tool(api_key: str, attempt_note: str) -> dict:
    """Ask a service that times out now and then."""
    try:
        return run_tool("flaky_tool")
    except TimeoutError as error:
        return {"error": str(error)}


def charge_card(card_number: str, amount: float, iban: str) -> dict:
    """Charge or refund a card."""
    return run_tool("charge_card")


refund = LlmAgent(name="refund_agent", model=MODEL, instruction=SYSTEM, description="does refunds",
                  tools=[lookup_customer, flaky_tool, charge_card],
                  disallow_transfer_to_parent=True, disallow_transfer_to_peers=True)
triage = LlmAgent(name="triage_agent", model=MODEL, instruction=SYSTEM, sub_agents=[refund])


async def run(agent: LlmAgent, mode: StreamingMode = StreamingMode.NONE) -> None:
    runner = InMemoryRunner(agent=agent, app_name="refund_app")
    await runner.session_service.create_session(
        app_name="refund_app", user_id="user-77", session_id=SESSION_ID)
    message = types.Content(role="user", parts=[types.Part(text=PROMPT)])
    try:
        async for _ in runner.run_async(user_id="user-77", session_id=SESSION_ID,
                                        new_message=message,
                                        run_config=RunConfig(streaming_mode=mode)):
            pass
    except Exception as error:  # noqa: BLE001: a model error is part of the story
        print(f"{type(error).__name__} as told")


async def tell() -> None:
    await run(triage)
    await run(LlmAgent(name="streaming_agent", model="gemini-fake-streamed"), StreamingMode.SSE)
    for model in (LIMITED, REFUSING, DOWN):
        retrying = Gemini(model=model.replace("gpt", "gemini"),
                          retry_options=types.HttpRetryOptions(attempts=2, initial_delay=0.1))
        await run(LlmAgent(name="solo_agent", model=retrying))


asyncio.run(tell())
finish()
