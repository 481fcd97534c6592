"""The story that this product was made for, told by a real OpenTelemetry SDK.

A planner hands an invoice to a validator. The payment API answers ambiguously; the validator asks
again and again with the same arguments, each time thinking about it with a model, until the budget gate
stops it. A fallback agent takes over, looks into the ledger, asks a person, and marks the invoice paid.

Ids and times are fixed, so that every view of the story can be held against a stored one.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import SpanKind, Status, StatusCode

SESSION = "invoice-4711"
BEGAN_NS = 1_790_000_100_000_000_000  # 2026-09-21T14:15:00Z
RETRIES = 13  # after the first call
BUDGET_USD = 5.0
CALL_USD = 0.35
MODEL = "gpt-4.1-mini-2025-04-14"
PAYMENTS = "payments.get_status"


class CountingIds(IdGenerator):
    """The same ids in every run; `number` tells stories apart that stand on one topic."""

    def __init__(self, number: int) -> None:
        self._number, self._spans = number, 0

    def generate_trace_id(self) -> int:
        return (0x4711 << 64) + self._number

    def generate_span_id(self) -> int:
        self._spans += 1
        return (0x1A << 32) + (self._number << 16) + self._spans


def message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


@dataclasses.dataclass
class Told:
    """What a reader of the story must be able to find in it."""

    calls: int = 0  # of the payment API
    inferences: int = 0
    cost_usd: float = 0.0
    stopped_by: str = "budget_gate"
    chosen: str = "validator"
    options: tuple[str, ...] = ("validator", "refund_now", "ask_human")
    fallback: str = "fallback"


class InvoiceStory:
    def __init__(self, exporter: SpanExporter, *, session_id: str = SESSION, number: int = 1,
                 retries: int = RETRIES) -> None:
        self.session_id, self.retries = session_id, retries
        self.told = Told()
        self._provider = TracerProvider(
            resource=Resource({"service.name": "invoice-agents",
                               "deployment.environment.name": "test", "tenant.id": "acme"}),
            id_generator=CountingIds(number))
        self._provider.add_span_processor(SimpleSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("invoice.agents", "1.0")
        self._left = BUDGET_USD

    def _span(self, name: str, parent: Any, at_s: float, **attributes: Any) -> Any:
        context = None if parent is None else trace.set_span_in_context(parent)
        told = {key.replace("__", "."): value for key, value in attributes.items()}
        told["gen_ai.conversation.id"] = self.session_id
        return self._tracer.start_span(name, context, SpanKind.INTERNAL, told,
                                       start_time=BEGAN_NS + round(at_s * 1e9))

    def _end(self, span: Any, at_s: float) -> None:
        span.end(BEGAN_NS + round(at_s * 1e9))

    def _agent(self, name: str, parent: Any, at_s: float, **more: Any) -> Any:
        return self._span(f"invoke_agent {name}", parent, at_s, gen_ai__operation__name="invoke_agent",
                          gen_ai__agent__name=name, gen_ai__agent__id=f"agent-{name}", **more)

    def _step(self, name: str, parent: Any, agent: str, at_s: float, for_s: float,
              **attributes: Any) -> Any:
        span = self._span(name, parent, at_s, gen_ai__agent__name=agent,
                          gen_ai__agent__id=f"agent-{agent}", **attributes)
        self._end(span, at_s + for_s)
        return span

    def _think(self, parent: Any, agent: str, at_s: float, question: str, answer: str,
               usd: float) -> None:
        self.told.inferences += 1
        self.told.cost_usd = round(self.told.cost_usd + usd, 6)
        self._left = round(self._left - usd, 6)
        self._step(f"chat {MODEL}", parent, agent, at_s, 0.8, gen_ai__operation__name="chat",
                   gen_ai__provider__name="openai", gen_ai__request__model="gpt-4.1-mini",
                   gen_ai__response__model=MODEL,
                   gen_ai__response__id=f"resp-{self.session_id}-{self.told.inferences}",
                   gen_ai__usage__input_tokens=1800 + 40 * self.told.inferences,
                   gen_ai__usage__output_tokens=90, gen_ai__usage__cost=usd,
                   gen_ai__response__finish_reasons=["tool_calls"], budget__remaining=self._left,
                   gen_ai__input__messages=message("user", question),
                   gen_ai__output__messages=message("assistant", answer))

    def _call(self, parent: Any, agent: str, tool: str, at_s: float, for_s: float, arguments: Any,
              result: Any, state: str, **more: Any) -> Any:
        return self._step(f"execute_tool {tool}", parent, agent, at_s, for_s,
                          gen_ai__operation__name="execute_tool", gen_ai__tool__name=tool,
                          gen_ai__tool__call__arguments=json.dumps(arguments),
                          gen_ai__tool__call__result=json.dumps(result),
                          state__snapshot__hash=state, **more)

    def tell(self) -> Told:
        planner = self._agent("planner", None, 0, user__id="jane.doe@example.com",
                              gen_ai__run__id="run-1")
        self._step("plan", planner, "planner", 0.2, 0.4, gen_ai__operation__name="plan",
                   decision__chosen=self.told.chosen, decision__options=list(self.told.options),
                   state__snapshot__hash="a1b2c3d4e5f60718")
        self._think(planner, "planner", 0.7, "Settle invoice 4711 of Jane Roe.",
                    "The validator should look at it first.", 0.05)
        self._hand_over(planner, "planner", "validator", 1.6)
        stopped_s = self._loop(planner, 1.8)
        self._hand_over(planner, "validator", self.told.fallback, stopped_s + 0.4)
        ended_s = self._fall_back(planner, stopped_s + 0.6)
        self._end(planner, ended_s + 0.2)
        self._provider.shutdown()
        return self.told

    def _hand_over(self, parent: Any, source: str, target: str, at_s: float) -> None:
        self._step(f"handoff {target}", parent, source, at_s, 0.1, gen_ai__operation__name="handoff",
                   gen_ai__handoff__from_agent=source, gen_ai__handoff__to_agent=target)

    def _loop(self, planner: Any, at_s: float) -> float:
        validator = self._agent("validator", planner, at_s)
        for attempt in range(self.retries + 1):
            self.told.calls += 1
            again = {"retry__count": attempt, "retry__max": 20} if attempt else {}
            self._call(validator, "validator", PAYMENTS, at_s + 0.2, 1.0,
                       {"invoice": "INV-4711", "iban": "DE89370400440532013000"},
                       {"status": "PENDING_OR_SETTLED"}, "a1b2c3d4e5f60718",
                       gen_ai__tool__call__id=f"call_pay_{attempt}", **again)
            self._think(validator, "validator", at_s + 1.4, "The status is ambiguous. What now?",
                        "I will ask again.", CALL_USD)
            at_s += 2.4
        self._step("apply_guardrail budget_gate", validator, "validator", at_s, 0.05,
                   gen_ai__operation__name="apply_guardrail", gen_ai__guardrail__name="budget_gate",
                   gen_ai__guardrail__result__value="stop", policy__source="budget",
                   budget__remaining=self._left)
        validator.set_status(Status(StatusCode.ERROR, "stopped by budget_gate"))
        validator.set_attribute("error.type", "BudgetExceeded")
        validator.set_attribute("termination.reason", "budget_exceeded")
        self._end(validator, at_s + 0.2)
        return at_s + 0.2

    def _fall_back(self, planner: Any, at_s: float) -> float:
        fallback = self._agent(self.told.fallback, planner, at_s)
        self._call(fallback, self.told.fallback, "ledger.lookup", at_s + 0.2, 0.5,
                   {"invoice": "INV-4711"}, {"booked": True, "amount": 59.9}, "c3d4e5f607182930",
                   gen_ai__tool__call__id="call_ledger")
        self._step("apply_guardrail human_approval", fallback, self.told.fallback, at_s + 1.0, 0.1,
                   gen_ai__operation__name="apply_guardrail",
                   gen_ai__guardrail__name="human_approval", policy__decision="ask",
                   policy__source="human")
        self._step("apply_guardrail human_approval", fallback, self.told.fallback, at_s + 31.0, 0.1,
                   gen_ai__operation__name="apply_guardrail",
                   gen_ai__guardrail__name="human_approval", policy__decision="allow",
                   policy__source="human")
        self._call(fallback, self.told.fallback, "payments.mark_paid", at_s + 31.5, 0.6,
                   {"invoice": "INV-4711", "paid": True}, {"ok": True}, "e5f6071829304a5b",
                   gen_ai__tool__call__id="call_paid")
        self._end(fallback, at_s + 32.3)
        return at_s + 32.3
