"""The protobuf encoding of the contract, read by Google's runtime from the published schema."""

from __future__ import annotations

import base64
import functools
import pathlib
import subprocess
import tempfile
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto" / "spangate" / "v1" / "events.proto"


@functools.cache
def event_message() -> Any:
    """The class spangate.v1.Event."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory) / "events.pb"
        subprocess.run(["protoc", f"-I{PROTO.parent}", f"--descriptor_set_out={out}", PROTO.name],
                       check=True)
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("spangate.v1.Event"))


def scalars(raw: bytes) -> dict[str, Any]:
    """The scalar fields under their names, bytes in base64: as they stand in the JSON encoding."""
    event = event_message().FromString(raw)
    return {field.name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for field, value in event.ListFields() if isinstance(value, (str, int, float, bytes))}


def changed(raw: bytes, **fields: Any) -> bytes:
    """The same event with other values in these fields."""
    event = event_message().FromString(raw)
    for name, value in fields.items():
        setattr(event, name, value)
    return event.SerializeToString()
