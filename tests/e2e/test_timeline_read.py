"""What a reader of a session gets from a real broker: up to where the topic stood, all packed in one."""

from __future__ import annotations

import json
import threading
import time

from confluent_kafka import Producer

from gateway import run
from otlp import post, request, span
from stage import Stage


def send_calls(stage: Stage, session_id: str, count: int) -> None:
    now = time.time_ns()
    spans = [span("chat", {"gen_ai.conversation.id": session_id, "gen_ai.operation.name": "chat",
                           "gen_ai.request.model": "gpt-4o"},
                  start_time_unix_nano=now - 2_000_000_000 + i * 1_000_000,
                  end_time_unix_nano=now - 1_000_000_000 + i * 1_000_000) for i in range(count)]
    post(stage.gateway.http_port, request(spans).SerializeToString())


def replayed(stage: Stage, session_id: str) -> dict:
    told = run("replay", session_id, "--config", str(stage.gateway.config_file), "--format", "json",
               timeout_s=60)
    assert told.stdout, told.stderr
    return json.loads(told.stdout)


def test_a_topic_that_grows_is_read_up_to_where_it_stood(stage: Stage, session_id: str) -> None:
    send_calls(stage, session_id, 20)
    is_over = threading.Event()

    def grow() -> None:
        producer = Producer({"bootstrap.servers": stage.broker.bootstrap,
                             "partitioner": "murmur2_random", "linger.ms": 1})
        while not is_over.is_set():
            for _ in range(50):
                producer.produce(stage.topics["operational"], b"{}", key=session_id)
            producer.flush(10)
        producer.flush(10)

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        assert len(replayed(stage, session_id)["steps"]) == 20
    finally:
        is_over.set()
        writer.join()


def test_events_packed_in_one_record_are_read_one_by_one(stage: Stage, session_id: str) -> None:
    send_calls(stage, session_id, 3)
    events = [record.event for record in stage.reader.refresh()
              if record.key == session_id and record.event_class == "operational"]
    packed = f"{session_id}-packed"
    lines = [json.dumps(event | {"session_id": packed}) for event in events]
    producer = Producer({"bootstrap.servers": stage.broker.bootstrap,
                         "partitioner": "murmur2_random"})
    producer.produce(stage.topics["operational"], "\n".join(lines).encode(), key=packed,
                     headers={"content_type": b"application/x-ndjson"})
    assert producer.flush(10) == 0
    assert len(replayed(stage, packed)["steps"]) == 3
