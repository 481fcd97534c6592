#!/usr/bin/env python3
"""Shows what spangate does, on one small session: `make run` starts the daemon and then this.

Sends one agent session (a planner, a tool that fails twice, a guardrail, a handoff, prompts with
made-up personal data) as OTLP/JSON to the daemon's own port, reads the three topics back from its
broker with kcat, and prints the records of each event side by side: what everyone may see, what
investigators see, and what only holders of the evidence right see. Standard library only.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request

TOPICS = ["agent.operational", "agent.detail", "agent.evidence"]
PROMPT = ("Hi, I am Jane Doe, jane.doe@example.com. Please refund order 1042 to my card "
          "4111 1111 1111 1111, my phone is +1 202 555 0143.")


def attribute(key, value):
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, int):
        return {"key": key, "value": {"intValue": str(value)}}
    if isinstance(value, float):
        return {"key": key, "value": {"doubleValue": value}}
    if isinstance(value, list):
        return {"key": key, "value": {"arrayValue": {"values": [{"stringValue": x} for x in value]}}}
    return {"key": key, "value": {"stringValue": value}}


class Session:
    """Spans of one trace; times run from a moment ago."""

    def __init__(self):
        self.trace_id = os.urandom(16).hex()
        self.session_id = "demo-" + self.trace_id[:8]
        self.start = time.time_ns() - 20_000_000_000
        self.spans = []

    def span(self, name, at_ms, for_ms, parent=None, error=None, events=(), **attributes):
        span_id = os.urandom(8).hex()
        begin = self.start + at_ms * 1_000_000
        span = {
            "traceId": self.trace_id, "spanId": span_id, "name": name, "kind": 1,
            "startTimeUnixNano": str(begin),
            "endTimeUnixNano": str(begin + for_ms * 1_000_000),
            "attributes": [attribute(k.replace("__", "."), v) for k, v in attributes.items()],
            "status": {"code": 2, "message": error} if error else {},
            "events": list(events),
        }
        if parent:
            span["parentSpanId"] = parent
        self.spans.append(span)
        return span_id

    def body(self):
        resource = [attribute("service.name", "support-agents"),
                    attribute("deployment.environment.name", "demo")]
        scope = {"name": "spangate.demo", "version": "1"}
        return {"resourceSpans": [{"resource": {"attributes": resource},
                                   "scopeSpans": [{"scope": scope, "spans": self.spans}]}]}


def message(role, text):
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def build_session():
    s = Session()
    chat = {"gen_ai__operation__name": "chat", "gen_ai__provider__name": "openai",
            "gen_ai__request__model": "gpt-4.1-mini", "gen_ai__agent__name": "planner",
            "gen_ai__response__model": "gpt-4.1-mini-2025-04-14"}
    root = s.span("invoke_agent planner", 0, 14_000, gen_ai__operation__name="invoke_agent",
                  gen_ai__agent__name="planner", gen_ai__conversation__id=s.session_id,
                  user__id="jane.doe@example.com")
    s.span("plan", 50, 400, root, gen_ai__operation__name="plan", gen_ai__agent__name="planner",
           decision__chosen="refund", decision__options=["refund", "ask_user", "handoff"])
    s.span("chat gpt-4.1-mini", 500, 1_800, root, **chat,
           gen_ai__response__id="resp-" + s.trace_id[:12],
           gen_ai__usage__input_tokens=412, gen_ai__usage__output_tokens=37,
           gen_ai__response__finish_reasons=["tool_calls"],
           gen_ai__input__messages=message("user", PROMPT),
           gen_ai__output__messages=message("assistant", "I will refund order 1042 for Jane."))
    arguments = json.dumps({"order": 1042, "card": "4111111111111111", "amount": 59.9})
    for attempt in range(3):
        failed = attempt < 2
        s.span("execute_tool payments.refund", 2_500 + attempt * 2_000, 1_500, root,
               error="upstream timed out for jane.doe@example.com" if failed else None,
               gen_ai__operation__name="execute_tool", gen_ai__tool__name="payments.refund",
               gen_ai__tool__call__id=f"call_{attempt}_{s.trace_id[:8]}",
               gen_ai__agent__name="planner", gen_ai__tool__call__arguments=arguments,
               gen_ai__tool__call__result=json.dumps({"ok": not failed, "iban": "DE89370400440532013000"}),
               **({"error__type": "timeout"} if failed else {}))
    s.span("apply_guardrail spend_limit", 9_000, 120, root, gen_ai__operation__name="apply_guardrail",
           gen_ai__guardrail__name="spend_limit", gen_ai__guardrail__result__value="block",
           gen_ai__guardrail__content__input__value="refund 59.90 to card 4111 1111 1111 1111")
    s.span("execute_tool transfer_to_billing", 9_300, 40, root, gen_ai__operation__name="execute_tool",
           gen_ai__tool__name="transfer_to_billing", gen_ai__agent__name="planner")
    billing = s.span("invoke_agent billing", 9_400, 4_000, root, gen_ai__operation__name="invoke_agent",
                     gen_ai__agent__name="billing")
    s.span("chat gpt-4.1-mini", 9_600, 1_900, billing, **{**chat, "gen_ai__agent__name": "billing"},
           gen_ai__response__id="resp-" + s.trace_id[12:24],
           gen_ai__usage__input_tokens=655, gen_ai__usage__output_tokens=81,
           gen_ai__response__finish_reasons=["stop"],
           gen_ai__input__messages=message("user", "Card 4111 1111 1111 1111 was blocked, what now?"),
           gen_ai__output__messages=message("assistant", "I have asked a colleague to approve it."))
    return s


def send(endpoint, session):
    request = urllib.request.Request(endpoint + "/v1/traces", json.dumps(session.body()).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        return reply.status, reply.read().decode()


def read_topic(broker, topic, session_id):
    """(partition, key, headers, value) of the session's records, oldest first."""
    listing = subprocess.run(
        ["kcat", "-q", "-C", "-b", broker, "-t", topic, "-o", "beginning", "-e",
         "-f", "%p\\t%k\\t%h\\t%s\\n"], capture_output=True, text=True, timeout=30, check=True).stdout
    rows = [line.split("\t", 3) for line in listing.splitlines()]
    return [row for row in rows if len(row) == 4 and row[1] == session_id]


# On every record; shown as one line, because they are the same for the whole session.
HEADER = {"schema_version", "event_id", "event_class", "event_type", "timestamp", "time_source",
          "ts_received", "tenant_id", "session_id", "session_source", "trace_id", "span_id",
          "parent_span_id", "gateway_id", "gateway_epoch", "gateway_seq", "source", "rules",
          "digest_key_id", "env", "service_name"}


def read_all(broker, session):
    """The session's records by topic. The reply waited for the files, the toy broker may lag."""
    records, seen = {}, -1
    for _ in range(50):
        records = {topic: read_topic(broker, topic, session.session_id) for topic in TOPICS}
        count = sum(map(len, records.values()))
        if count == seen and len(records[TOPICS[1]]) == len(session.spans):
            break
        seen = count
        time.sleep(0.1)
    return records


def column(topic, row, width, known=None, lines_max=24):
    """The record as lines; what `known` (the operational event) says already is only counted."""
    if row is None:
        return [topic, "(no record)"]
    partition, key, headers, value = row
    event = json.loads(value)
    lines = [topic, f"partition {partition}, key {key}"]
    lines += [f"{name} = {text}" for name, text in (h.split("=", 1) for h in headers.split(","))]
    same = {name for name in event if known and name not in HEADER and known.get(name) == event[name]}
    lines.append(f"value: {len(value)} bytes of JSON, {len(HEADER & set(event))} header fields"
                 + (f", {len(same)} as at left" if same else "") + ",")
    for name, field in event.items():
        if name in HEADER or name in same or name in ("payload", "salt"):
            continue
        text = field if isinstance(field, str) else json.dumps(field, ensure_ascii=False)
        lines += textwrap.wrap(f"{name}: {text}", width, subsequent_indent="    ",
                               break_on_hyphens=False)[:6]
    if len(lines) > lines_max:
        lines = lines[:lines_max] + [f"… {len(lines) - lines_max} lines more"]
    return lines


def show(records):
    width = max(36, (shutil.get_terminal_size((160, 40)).columns - 6) // 3)
    operational = [(json.loads(row[3]), row) for row in records[TOPICS[0]]]
    by_event = {topic: {json.loads(row[3])["event_id"]: row for row in records[topic]}
                for topic in TOPICS[1:]}
    operational.sort(key=lambda pair: (pair[0]["timestamp"], pair[0]["gateway_seq"]))
    for event, row in operational:
        what = event.get("tool_name") or event.get("model") or event.get("agent_name") or ""
        outcome = event.get("outcome", "")
        print(f"\n── {event['timestamp'][11:23]}  {event['event_type']}  {what}  {outcome}".rstrip())
        columns = [column(TOPICS[0], row, width)]
        columns += [column(t, by_event[t].get(event["event_id"]), width, event) for t in TOPICS[1:]]
        for i in range(max(map(len, columns))):
            print(" │ ".join((c[i] if i < len(c) else "").ljust(width)[:width] for c in columns).rstrip())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--http", required=True, help="OTLP/HTTP endpoint, http://host:port")
    parser.add_argument("--broker", required=True, help="Kafka bootstrap address")
    arguments = parser.parse_args()
    session = build_session()
    status, body = send(arguments.http, session)
    print(f"sent {len(session.spans)} spans of session {session.session_id}: HTTP {status} {body}")
    records = read_all(arguments.broker, session)
    show(records)
    counts = ", ".join(f"{len(records[t])} in {t}" for t in TOPICS)
    print(f"\n{counts}; all of one session stand in one partition.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (urllib.error.URLError, subprocess.SubprocessError, OSError) as error:
        sys.exit(f"demo: {error}")
