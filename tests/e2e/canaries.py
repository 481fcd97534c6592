"""Made-up personal data and secrets, and every place of an OTLP request that a client can put them in:
what tests/support/canaries.h and tests/pipeline/canary_places.cc are inside the process, for a gateway
that runs."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import urllib.parse
from typing import Any, Callable

from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from otlp import Request, any_value, chat_span, key_values
from otlp_logs import LogsRequest, log


@dataclasses.dataclass(frozen=True)
class Canary:
    detector: str
    text: str
    telling: str             # a part of it that is as bad to see
    number: int = 0          # the same as a number; 0: it is none
    number_key: str = "note"  # beside which the number tells what it is


CANARIES = (
    Canary("email", "canary.jane@example.com", "canary.jane"),
    Canary("phone", "+14155550132", "4155550132", 14155550132, "phone"),
    Canary("phone", "(415) 555-0187", "555-0187"),
    Canary("card", "4111111111111111", "11111111111", 4111111111111111),
    Canary("card", "5500 0055 5555 5559", "0055 5555"),
    Canary("iban", "DE89370400440532013000", "370400440532"),
    Canary("ssn", "219-09-9471", "19-09-9471", 219099471, "ssn"),
    Canary("jwt", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ",
           "eyJzdWIiOiJjYW5hcnkifQ"),
    Canary("bearer", "Bearer c4n4ry0b5cur3t0k3n9871", "c4n4ry0b5cur3"),
    Canary("vendor_keys", "AKIAIOSFODNN7CANARY1", "IOSFODNN7CANARY"),
    Canary("private_key",
           "-----BEGIN PRIVATE KEY-----\nMIICdgIBADANBgkCANARY0BAQEF\n-----END PRIVATE KEY-----",
           "ADANBgkCANARY"),
    Canary("url_credentials", "https://robot:c4n4rypa55@host.example/x", "c4n4rypa55"),
    Canary("connection_string", "Server=db.example;User Id=robot;Password=c4n4ryTr0ub4dor;",
           "c4n4ryTr0ub"),
    Canary("ip", "203.0.113.77", "203.0.113"),
    Canary("ip", "2001:db8:85a3::8a2e:370:7334", "8a2e:370:7334"),
    Canary("mac", "0a:1b:2c:3d:4e:5f", "2c:3d:4e"),
    Canary("entropy", "api_key=Zk3v9Qx7Lm2Np8Rt5Wy1Bd4F", "Qx7Lm2Np8Rt5"),
)


def percent_encoded(text: str) -> str:
    return urllib.parse.quote(text, safe="")


def full_width(text: str) -> str:
    """As an East Asian input method writes it: U+FF01 and on instead of ! and on."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@functools.cache
def needles(canary: Canary) -> tuple[bytes, ...]:
    """What must not be seen: the telling part, and the same in every code it was sent in."""
    found = [canary.telling.encode(), percent_encoded(canary.telling).encode(),
             full_width(canary.telling).encode()]
    if canary.number:
        found.append(str(canary.number)[1:].encode())  # a real number has its point after the first
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + canary.telling.encode()).decode()
        first = 4 if shift else 0
        last = (shift + len(canary.telling)) // 3 * 4
        if last >= first + 8:
            found.append(coded[first:last].encode())
    return tuple(dict.fromkeys(found))


def shown(canary: Canary, text: bytes) -> bool:
    return any(needle in text for needle in needles(canary))


@dataclasses.dataclass(frozen=True)
class Place:
    """`edit` puts a canary into one group of a request: (group, span or log record, canary) → whether
    it can stand there."""

    name: str
    edit: Callable[[Any, Any, Canary], bool]
    is_version: bool = False


def shapes() -> dict[str, Callable[[Canary], tuple[str | None, Any] | None]]:
    """How a canary can stand in an attribute: its key (None: any) and its value."""
    def number(wrap: Callable[[Canary], Any]) -> Callable[[Canary], tuple[str | None, Any] | None]:
        return lambda c: (c.number_key, wrap(c)) if c.number else None

    def document(canary: Canary) -> str:
        return json.dumps({"a": [1, {"note": canary.text}]})

    return {
        "key": lambda c: (c.text, 1),
        "string": lambda c: (None, c.text),
        "sentence": lambda c: (None, f"He wrote: {c.text} twice"),
        "bytes": lambda c: (None, c.text.encode()),
        "int": number(lambda c: c.number),
        "double": number(lambda c: float(c.number)),
        "array": lambda c: (None, ["first", c.text]),
        "array of ints": number(lambda c: [c.number]),
        "kvlist value": lambda c: (None, {"note": c.text}),
        "kvlist key": lambda c: (None, {c.text: True}),
        "kvlist in array in kvlist": lambda c: (None, {"list": [{"note": c.text}]}),
        "JSON in string": lambda c: (None, document(c)),
        "double-encoded JSON": lambda c: (None, json.dumps({"json": document(c)})),
        "JSON in a quoted string": lambda c: (None, json.dumps(document(c))),
        "JSON cut off": lambda c: (None, document(c)[:-4]),
        "base64": lambda c: (None, base64.b64encode(c.text.encode()).decode()),
        "percent-encoded": lambda c: (None, f"q={percent_encoded(c.text)}"),
        # What is written full-width by people, and not by programs, is an address.
        "full-width": lambda c: (None, full_width(c.text)) if c.detector == "email" else None,
        "full-width at sign": lambda c: (
            (None, c.text.replace("@", "\uff20")) if c.detector == "email" else None),
    }


def put(attributes: Any, shape: Callable, canary: Canary, key: str = "note") -> bool:
    made = shape(canary)
    if made is None:
        return False
    attributes.extend(key_values({made[0] or key: made[1]}))
    return True


def span_places() -> list[Place]:
    def text(name: str, edit: Callable[[Any, Any, str], Any], **options: bool) -> Place:
        def apply(group: Any, span: Any, canary: Canary) -> bool:
            edit(group, span, canary.text)
            return True

        return Place(name, apply, **options)

    def event(span: trace_pb2.Span) -> Any:
        return span.events.add(name="gen_ai.choice").attributes

    def link(span: trace_pb2.Span) -> Any:
        return span.links.add(trace_id=b"\7" * 16, span_id=b"\7" * 8).attributes

    places = [
        text("span name", lambda g, s, t: setattr(s, "name", t)),
        text("trace state", lambda g, s, t: setattr(s, "trace_state", f"vendor={t}")),
        text("status message", lambda g, s, t: s.status.CopyFrom(trace_pb2.Status(code=2, message=t))),
        text("event name", lambda g, s, t: s.events.add(name=t)),
        text("link trace state", lambda g, s, t: s.links.add(
            trace_id=b"\7" * 16, span_id=b"\7" * 8, trace_state=t)),
        text("scope name", lambda g, s, t: setattr(g.scope_spans[0].scope, "name", t)),
        text("scope version", lambda g, s, t: setattr(g.scope_spans[0].scope, "version", t),
             is_version=True),
        text("resource schema URL", lambda g, s, t: setattr(g, "schema_url", t)),
        text("scope schema URL", lambda g, s, t: setattr(g.scope_spans[0], "schema_url", t)),
    ]
    lists = {
        "span attribute": lambda g, s: s.attributes,
        "event attribute": lambda g, s: event(s),
        "link attribute": lambda g, s: link(s),
        "scope attribute": lambda g, s: g.scope_spans[0].scope.attributes,
        "resource attribute": lambda g, s: g.resource.attributes,
    }
    for where, pick in lists.items():
        for name, shape in shapes().items():
            places.append(Place(
                f"{where}: {name}",
                lambda g, s, c, pick=pick, shape=shape: put(pick(g, s), shape, c)))
    return places


def log_places() -> list[Place]:
    def text(name: str, edit: Callable[[Any, str], Any]) -> Place:
        def apply(group: Any, record: Any, canary: Canary) -> bool:
            edit(record, canary.text)
            return True

        return Place(name, apply)

    def body(shape: Callable) -> Callable[[Any, Any, Canary], bool]:
        def apply(group: Any, record: logs_pb2.LogRecord, canary: Canary) -> bool:
            made = shape(canary)
            # A number needs the key that tells what it is; a body has none.
            if made is None or (canary.number and made[0] not in (None, "note")):
                return False
            record.body.CopyFrom(any_value(made[1]))
            return True

        return apply

    places = [text("log event name", lambda r, t: setattr(r, "event_name", t)),
              text("log severity text", lambda r, t: setattr(r, "severity_text", t))]
    for name, shape in shapes().items():
        places.append(Place(f"log attribute: {name}",
                            lambda g, r, c, shape=shape: put(r.attributes, shape, c)))
        if name != "key":
            places.append(Place(f"log body: {name}", body(shape)))
    return places


def trace_request(place: Place, first_session: int) -> tuple[Request, list[Canary]]:
    """A group of its own for each canary that can stand in the place."""
    made, placed = Request(), []
    for canary in CANARIES:
        group = trace_pb2.ResourceSpans()
        group.resource.attributes.extend(key_values({"service.name": "canary-e2e"}))
        scope = group.scope_spans.add()
        scope.scope.name = "e2e"
        scope.spans.append(chat_span(f"cell-{first_session + len(placed)}"))
        if place.is_version and canary.text == "203.0.113.77":
            continue  # a version there, not an address
        if place.edit(group, scope.spans[0], canary):
            made.resource_spans.append(group)
            placed.append(canary)
    return made, placed


def logs_request(place: Place, first_session: int) -> tuple[LogsRequest, list[Canary]]:
    made, placed = LogsRequest(), []
    for canary in CANARIES:
        group = logs_pb2.ResourceLogs()
        group.resource.attributes.extend(key_values({"service.name": "claude-code"}))
        scope = group.scope_logs.add()
        scope.scope.name = "com.anthropic.claude_code.events"
        scope.log_records.append(log("claude_code.tool_result", {
            "tool_name": "Bash", "tool_use_id": "toolu_1",
            "session.id": f"cell-{first_session + len(placed)}"}))
        if place.edit(group, scope.log_records[0], canary):
            made.resource_logs.append(group)
            placed.append(canary)
    return made, placed
