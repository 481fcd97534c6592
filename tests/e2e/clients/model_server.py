#!/usr/bin/env python3
"""A model server for tests: speaks OpenAI (chat completions, responses, embeddings), Anthropic
(messages) and Gemini (generateContent), streamed or not, and remembers the usage it returned.

    model_server.py [--port N]          prints `listening on 127.0.0.1:N`; ends with SIGTERM

Standard library only. A run is named by the path (`/run/NAME/v1/...`) or the header `x-run`; without
either it is `default`. What is answered depends on the request alone, so each run is the same:

    model name holds   the answer is
    flaky              429 with Retry-After to every other request of the run, beginning with the first
    down               500, always
    refuse             a refusal (content_filter, refusal, SAFETY)
    long               64 KiB of text
    quiet              a text, whatever tools are offered
    anything else      a call of each offered tool, hand-offs last; a tool whose result tells of an
                       error is called again, at most three times; at the end a text

Every call of a run returns other numbers of tokens, so that a sum tells which call it lacks.
GET /usage[?run=NAME] gives, by run and by model asked for, `calls` (answered with 200), `errors`
(429 and 500), `response_ids` and the totals of prompt_tokens (cache included), completion_tokens
(as the provider tells it: Gemini's without thoughts), cached_tokens, cache_write_tokens,
reasoning_tokens; a stream that was not asked to include its usage returned none.
"""

from __future__ import annotations

import argparse
import http.server
import json
import pathlib
import re
import sys
import threading
import urllib.parse
from typing import Any, Callable

# Started as a script and imported as clients.model_server alike.
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from answers import MADE_UP, PERSON, Answer, Ledger, Request, as_text, new_id  # noqa: E402
from answers_openai import chat, embeddings, responses  # noqa: E402
from answers_others import generate_content, messages  # noqa: E402

__all__ = ["MADE_UP", "PERSON", "ModelServer"]

BY_PATH: dict[str, Callable[[Request], Answer]] = {
    "/chat/completions": chat, "/responses": responses, "/embeddings": embeddings,
    "/messages": messages}
GEMINI = re.compile(r"^/v1(?:beta|alpha)?/models/(.+):(\w+)$")
RUN = re.compile(r"^/run/([^/]+)(/.*)$")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave in one segment
    ledger = Ledger()

    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        if url.path == "/usage":
            run = urllib.parse.parse_qs(url.query).get("run", [None])[0]
            return self._send(Answer(self.ledger.report(run)))
        return self._send(Answer({"ok": True}))

    def do_POST(self) -> None:
        path = urllib.parse.urlsplit(self.path).path
        run = self.headers.get("x-run", "default")
        if named := RUN.match(path):
            run, path = named.group(1), named.group(2)
        try:
            body = json.loads(self._body() or b"{}")
        except ValueError:
            return self._send(Answer({"error": {"message": "not JSON"}}, 400))
        return self._send(self._answer(run, path, body))

    def _answer(self, run: str, path: str, body: dict[str, Any]) -> Answer:
        if gemini := GEMINI.match(urllib.parse.unquote(path)):
            return self._gemini(run, gemini.group(1), gemini.group(2), body)
        handler = BY_PATH.get(path.removeprefix("/v1"))
        if handler is None:
            return Answer({"ok": True})  # telemetry and updates of command line clients
        return handler(Request(self.ledger, run, body, body.get("model", "")))

    def _gemini(self, run: str, model: str, operation: str, body: dict[str, Any]) -> Answer:
        if operation == "countTokens":
            return Answer({"totalTokens": 42})
        if "embed" in operation.lower():
            return Answer({"embedding": {"values": [0.1, 0.2]}})
        request = Request(self.ledger, run, body, model)
        return generate_content(request, streamed=operation == "streamGenerateContent")

    def _body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _send(self, answer: Answer) -> None:
        kind, body = "application/json", json.dumps(answer.body)
        if answer.events is not None:
            kind, body = "text/event-stream", "".join(
                (f"event: {name}\n" if name else "") + f"data: {as_text(data)}\n\n"
                for name, data in answer.events)
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.send_header("x-request-id", new_id("req_"))
        self.send_header("request-id", new_id("req_"))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: Any) -> None:
        pass


class QuietServer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients end without closing their connections; that is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class ModelServer:
    """The server in a thread of this process, for tests. Use as a context manager."""

    def __init__(self, port: int = 0) -> None:
        handler = type("RunHandler", (Handler,), {"ledger": Ledger()})
        self._server = QuietServer(("127.0.0.1", port), handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.ledger: Ledger = handler.ledger

    def serve_forever(self) -> None:
        self._server.serve_forever()

    def __enter__(self) -> ModelServer:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--port", type=int, default=0)
    server = ModelServer(parser.parse_args().port)
    print(f"listening on 127.0.0.1:{server.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
