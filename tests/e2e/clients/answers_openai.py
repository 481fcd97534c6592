"""OpenAI's interfaces: chat completions, responses, embeddings."""

from __future__ import annotations

import base64
import json
import struct
import time
from typing import Any, Iterator

from answers import (MADE_UP, Answer, Request, Usage, answered_model, arguments_of, as_text,
                     final_text, new_id, next_tool, retry_after)


def openai_fault(status: int) -> Answer:
    kind, text = ("server_error", "upstream down") if status == 500 else ("requests", "rate limit reached")
    error = {"message": f"{text} for {MADE_UP['email']}", "type": kind, "code": kind,
             "param": None}
    return Answer({"error": error}, status, headers=retry_after(status))


def chat_history(messages: list[dict[str, Any]]) -> tuple[list[str], dict[str, str]]:
    names, results = {}, {}
    for message in messages:
        for call in message.get("tool_calls") or []:
            names[call["id"]] = call["function"]["name"]
        if message.get("role") == "tool":
            results[names.get(message.get("tool_call_id"), "")] = as_text(message.get("content"))
    return list(names.values()), results


def chat_message(request: Request) -> tuple[dict[str, Any], str]:
    offered = [(tool["function"]["name"], tool["function"].get("parameters"))
               for tool in request.body.get("tools") or [] if tool.get("type") == "function"]
    call = next_tool(request.model, offered, *chat_history(request.body["messages"]))
    message: dict[str, Any] = {"role": "assistant", "content": None}
    if "refuse" in request.model:
        return {**message, "refusal": f"I cannot charge {MADE_UP['card']}."}, "content_filter"
    if call:
        function = {"name": call[0], "arguments": json.dumps(call[1])}
        calls = [{"id": new_id("call_"), "type": "function", "function": function}]
        return {**message, "tool_calls": calls}, "tool_calls"
    form = request.body.get("response_format") or {}
    text = final_text(request.model)
    if form.get("type") == "json_schema":
        text = json.dumps(arguments_of("", form["json_schema"].get("schema")))
    return {**message, "content": text}, "stop"


def chat_usage(usage: Usage) -> dict[str, Any]:
    return {"prompt_tokens": usage.prompt, "completion_tokens": usage.completion,
            "total_tokens": usage.total,
            "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0}}


def chat_deltas(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": ""}
    for call in message.get("tool_calls") or []:
        arguments = call["function"]["arguments"]
        begun = {**call["function"], "arguments": ""}
        yield {"tool_calls": [{**call, "index": 0, "function": begun}]}
        for i in range(0, len(arguments), 20):
            yield {"tool_calls": [{"index": 0, "function": {"arguments": arguments[i:i + 20]}}]}
    if message.get("refusal"):
        yield {"refusal": message["refusal"]}
    text = message["content"] or ""
    for i in range(0, len(text), 24 + len(text) // 20):
        yield {"content": text[i:i + 24 + len(text) // 20]}


def chat(request: Request) -> Answer:
    if status := request.fault():
        return openai_fault(status)
    message, finish = chat_message(request)
    usage, response_id = request.usage(), new_id("chatcmpl-")
    base = {"id": response_id, "created": int(time.time()), "model": answered_model(request.model),
            "system_fingerprint": "fp_test", "service_tier": "default"}
    if not request.body.get("stream"):
        request.returned(response_id, usage)
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
        return Answer({**base, "object": "chat.completion", "choices": [choice],
                       "usage": chat_usage(usage)})
    tells_usage = (request.body.get("stream_options") or {}).get("include_usage")
    request.returned(response_id, usage if tells_usage else None)
    base["object"] = "chat.completion.chunk"
    steps = [(delta, None) for delta in chat_deltas(message)] + [({}, finish)]
    events: list[tuple[str | None, Any]] = [
        (None, {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
        for delta, reason in steps]
    if tells_usage:
        events.append((None, {**base, "choices": [], "usage": chat_usage(usage)}))
    return Answer(None, events=events + [(None, "[DONE]")])


def response_history(items: Any) -> tuple[list[str], dict[str, str]]:
    names, results = {}, {}
    for item in items if isinstance(items, list) else []:
        if item.get("type") == "function_call":
            names[item["call_id"]] = item["name"]
        if item.get("type") == "function_call_output":
            results[names.get(item["call_id"], "")] = as_text(item.get("output"))
    return list(names.values()), results


def response_item(request: Request) -> dict[str, Any]:
    offered = [(tool["name"], tool.get("parameters")) for tool in request.body.get("tools") or []
               if tool.get("type") == "function"]
    call = next_tool(request.model, offered, *response_history(request.body.get("input")))
    message = {"type": "message", "id": new_id("msg_"), "role": "assistant", "status": "completed"}
    if "refuse" in request.model:
        part = {"type": "refusal", "refusal": f"I cannot charge {MADE_UP['card']}."}
        return {**message, "content": [part]}
    if call:
        return {"type": "function_call", "id": new_id("fc_"), "call_id": new_id("call_"),
                "name": call[0], "arguments": json.dumps(call[1]), "status": "completed"}
    form = (request.body.get("text") or {}).get("format") or {}
    text = final_text(request.model)
    if form.get("type") == "json_schema":
        text = json.dumps(arguments_of("", form.get("schema")))
    return {**message, "content": [{"type": "output_text", "text": text, "annotations": []}]}


def response_events(response: dict[str, Any],
                    item: dict[str, Any]) -> list[tuple[str | None, Any]]:
    steps: list[tuple[str, dict[str, Any]]] = [
        ("created", {"response": {**response, "status": "in_progress", "output": [], "usage": None}})]
    place = {"output_index": 0, "item_id": item["id"]}
    if item["type"] == "function_call":
        begun = {**item, "arguments": "", "status": "in_progress"}
        done = {"arguments": item["arguments"], "name": item["name"]}
        steps += [("output_item.added", {"output_index": 0, "item": begun}),
                  ("function_call_arguments.delta", {**place, "delta": item["arguments"]}),
                  ("function_call_arguments.done", {**place, **done})]
    else:
        part = item["content"][0]
        kind, key = ("output_text", "text") if "text" in part else ("refusal", "refusal")
        place["content_index"] = 0
        begun = {**item, "content": [], "status": "in_progress"}
        steps += [("output_item.added", {"output_index": 0, "item": begun}),
                  ("content_part.added", {**place, "part": {**part, key: ""}}),
                  (f"{kind}.delta", {**place, "delta": part[key], "logprobs": []}),
                  (f"{kind}.done", {**place, key: part[key], "logprobs": []}),
                  ("content_part.done", {**place, "part": part})]
    steps += [("output_item.done", {"output_index": 0, "item": item}),
              ("completed", {"response": response})]
    return [(f"response.{name}", {"type": f"response.{name}", "sequence_number": number, **data})
            for number, (name, data) in enumerate(steps)]


def responses(request: Request) -> Answer:
    if status := request.fault():
        return openai_fault(status)
    item, usage, response_id = response_item(request), request.usage(), new_id("resp_")
    request.returned(response_id, usage)
    echoed = {key: request.body.get(key) for key in ("instructions", "previous_response_id")}
    response = {
        **echoed, "id": response_id, "object": "response", "created_at": int(time.time()),
        "status": "completed", "model": answered_model(request.model), "output": [item],
        "error": None, "incomplete_details": None, "metadata": {}, "parallel_tool_calls": True,
        "temperature": 1.0, "top_p": 1.0, "tool_choice": "auto",
        "tools": request.body.get("tools") or [], "max_output_tokens": None,
        "service_tier": "default",
        "reasoning": {"effort": None, "summary": None}, "store": True, "truncation": "disabled",
        "text": {"format": {"type": "text"}}, "user": None,
        "usage": {"input_tokens": usage.prompt, "output_tokens": usage.completion,
                  "total_tokens": usage.total,
                  "input_tokens_details": {"cached_tokens": usage.cached},
                  "output_tokens_details": {"reasoning_tokens": usage.reasoning}}}
    if request.body.get("stream"):
        return Answer(None, events=response_events(response, item))
    return Answer(response)


def embeddings(request: Request) -> Answer:
    inputs = request.body.get("input")
    count = len(inputs) if isinstance(inputs, list) else 1
    usage = request.usage()
    usage.completion = usage.cached = usage.reasoning = 0
    request.returned("", usage)
    vector: Any = [0.01 * i for i in range(8)]
    if request.body.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack("<8f", *vector)).decode()
    data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(count)]
    return Answer({"object": "list", "data": data, "model": answered_model(request.model),
                   "usage": {"prompt_tokens": usage.prompt, "total_tokens": usage.prompt}})
