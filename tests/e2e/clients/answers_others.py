"""Anthropic's messages and Gemini's generateContent."""

from __future__ import annotations

import json
from typing import Any

from answers import (MADE_UP, Answer, Request, answered_model, final_text, new_id, next_tool,
                     retry_after)


def block_history(messages: list[dict[str, Any]]) -> tuple[list[str], dict[str, str]]:
    names, results = {}, {}
    for message in messages:
        for block in message["content"] if isinstance(message.get("content"), list) else []:
            if block.get("type") == "tool_use":
                names[block["id"]] = block["name"]
            if block.get("type") == "tool_result":
                results[names.get(block["tool_use_id"], "")] = json.dumps(block.get("content"))
    return list(names.values()), results


def message_blocks(request: Request) -> tuple[list[dict[str, Any]], str]:
    offered = [(tool["name"], tool.get("input_schema")) for tool in request.body.get("tools") or []
               if tool.get("input_schema")]
    call = next_tool(request.model, offered, *block_history(request.body["messages"]))
    if "refuse" in request.model:
        return [], "refusal"
    if call:
        text = {"type": "text", "text": f"Let me check that for {MADE_UP['email']}."}
        return [text, {"type": "tool_use", "id": new_id("toolu_"), "name": call[0],
                       "input": call[1]}], "tool_use"
    return [{"type": "text", "text": final_text(request.model)}], "end_turn"


def message_events(message: dict[str, Any]) -> list[tuple[str | None, Any]]:
    begun = {**message, "content": [], "stop_reason": None,
             "usage": {**message["usage"], "output_tokens": 1}}
    steps: list[dict[str, Any]] = [{"type": "message_start", "message": begun}]
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, delta = {"text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            arguments = json.dumps(block["input"])
            empty, delta = {"input": {}}, {"type": "input_json_delta", "partial_json": arguments}
        steps += [{"type": "content_block_start", "index": index,
                   "content_block": {**block, **empty}},
                  {"type": "content_block_delta", "index": index, "delta": delta},
                  {"type": "content_block_stop", "index": index}]
    steps += [{"type": "message_delta",
               "delta": {"stop_reason": message["stop_reason"], "stop_sequence": None},
               "usage": {"output_tokens": message["usage"]["output_tokens"]}},
              {"type": "message_stop"}]
    return [(step["type"], step) for step in steps]


def messages(request: Request) -> Answer:
    if status := request.fault():
        kind = "api_error" if status == 500 else "rate_limit_error"
        error = {"type": kind, "message": f"failed for {MADE_UP['email']}"}
        return Answer({"type": "error", "error": error}, status, headers=retry_after(status))
    content, stop = message_blocks(request)
    usage, response_id = request.usage(), new_id("msg_")
    usage.cache_write, usage.reasoning = 32, 0
    request.returned(response_id, usage)
    message = {
        "id": response_id, "type": "message", "role": "assistant", "content": content,
        "model": answered_model(request.model), "stop_reason": stop, "stop_sequence": None,
        "usage": {"input_tokens": usage.prompt - usage.cached - usage.cache_write,
                  "cache_creation_input_tokens": usage.cache_write,
                  "cache_read_input_tokens": usage.cached, "output_tokens": usage.completion,
                  "service_tier": "standard"}}
    if request.body.get("stream"):
        return Answer(None, events=message_events(message))
    return Answer(message)


def content_history(contents: list[dict[str, Any]]) -> tuple[list[str], dict[str, str]]:
    called, results = [], {}
    for content in contents:
        for part in content.get("parts", []):
            if "functionCall" in part:
                called.append(part["functionCall"]["name"])
            if "functionResponse" in part:
                answer = part["functionResponse"]
                results[answer["name"]] = json.dumps(answer.get("response"))
    return called, results


def content_part(request: Request) -> dict[str, Any]:
    offered = [(declared["name"],
                declared.get("parameters") or declared.get("parametersJsonSchema"))
               for tool in request.body.get("tools") or []
               for declared in tool.get("functionDeclarations") or []]
    call = next_tool(request.model, offered, *content_history(request.body.get("contents", [])))
    if (request.body.get("generationConfig") or {}).get("responseMimeType") == "application/json":
        # Gemini CLI's own questions: which model, who speaks next, how hard.
        return {"text": json.dumps({"reasoning": "simple", "model_choice": "flash",
                                    "next_speaker": "user", "complexity_reasoning": "x",
                                    "complexity_score": 5})}
    if call:
        return {"functionCall": {"name": call[0], "args": call[1], "id": new_id("fc_")}}
    return {"text": final_text(request.model)}


def generate_content(request: Request, streamed: bool) -> Answer:
    if status := request.fault():
        state = "INTERNAL" if status == 500 else "RESOURCE_EXHAUSTED"
        error = {"code": status, "message": f"failed for {MADE_UP['email']}", "status": state}
        return Answer({"error": error}, status, headers=retry_after(status))
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": [content_part(request)]},
                                 "finishReason": "STOP", "index": 0}
    if "refuse" in request.model:
        candidate = {"finishReason": "SAFETY", "index": 0}
    usage, response_id = request.usage(), new_id("g_")
    usage.completion -= usage.reasoning  # thoughts are told beside the candidates
    request.returned(response_id, usage)
    reply = {"candidates": [candidate], "modelVersion": answered_model(request.model),
             "responseId": response_id,
             "usageMetadata": {"promptTokenCount": usage.prompt,
                               "candidatesTokenCount": usage.completion,
                               "thoughtsTokenCount": usage.reasoning,
                               "cachedContentTokenCount": usage.cached,
                               "totalTokenCount": usage.total + usage.reasoning}}
    return Answer(None, events=[(None, reply)]) if streamed else Answer(reply)
