"""The story with openai-agents: triage hands off to the refund agent; a guardrail; a limit of turns."""

from __future__ import annotations

import asyncio

import agents

from story import (DOWN, FORBIDDEN, LIMITED, MODEL, OPENAI_URL, PROMPT, REFUSING, SESSION_ID, STREAMED,
                   SYSTEM, tool_functions)

agents.set_trace_processors([])  # its own exporter would report to the vendor


def tell() -> None:
    import openai
    from agents import (Agent, GuardrailFunctionOutput, RunConfig, Runner, function_tool,
                        input_guardrail, set_default_openai_client)

    client = openai.AsyncOpenAI(base_url=OPENAI_URL, max_retries=2)
    set_default_openai_client(client, use_for_tracing=False)

    @input_guardrail(name="pii_gate", run_in_parallel=False)
    async def pii_gate(context: object, agent: object, prompt: object) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info={"reason": PROMPT},
                                       tripwire_triggered=FORBIDDEN in str(prompt))

    refund = Agent(name="refund_agent", instructions=SYSTEM, model=MODEL,
                   tools=[function_tool(function) for function in tool_functions()])
    triage = Agent(name="triage_agent", instructions=SYSTEM, handoffs=[refund], model=MODEL,
                   input_guardrails=[pii_gate])
    config = RunConfig(workflow_name="refund_workflow", group_id=SESSION_ID)

    async def run(agent: Agent, prompt: str = PROMPT, **options: object) -> None:
        try:
            await Runner.run(agent, prompt, run_config=config, **options)
        except Exception as error:  # noqa: BLE001: blocks and model errors are part of the story
            print(f"{type(error).__name__} as told")

    async def main() -> None:
        await run(triage, max_turns=12)
        await run(triage, f"{FORBIDDEN} {PROMPT}")
        solo = Agent(name="streaming_agent", instructions=SYSTEM, model=STREAMED)
        async for _ in Runner.run_streamed(solo, PROMPT, run_config=config).stream_events():
            pass
        for model in (LIMITED, REFUSING, DOWN):
            await run(Agent(name="solo_agent", instructions=SYSTEM, model=model))
        await run(refund, max_turns=1)

    asyncio.run(main())
