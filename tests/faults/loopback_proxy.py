"""A TCP proxy on loopback that behaves badly on demand: what a network does to a client of Kafka.

It has a thread of its own. `mode` may change at any time and applies to open connections too:

    PASS      bytes pass
    DELAY     every byte arrives `delay_s` later
    STUTTER   one piece of twenty arrives 0.2 to 0.6 s late and holds up what follows: packet loss
              as TCP shows it
    BLACKHOLE connections stay open, nothing passes; afterwards it flows again, late
    HALF_OPEN connections are accepted and never answered; open ones are reset
    RESET     connections are accepted and reset at once, open ones too
    REFUSE    nobody listens; open connections are reset
"""

from __future__ import annotations

import asyncio
import enum
import random
import socket
import struct
import threading
from typing import Callable

PIECE_BYTES = 64 * 1024


class Mode(enum.Enum):
    PASS = "pass"
    DELAY = "delay"
    STUTTER = "stutter"
    BLACKHOLE = "blackhole"
    HALF_OPEN = "half-open"
    RESET = "reset"
    REFUSE = "refuse"


RESETTING = (Mode.HALF_OPEN, Mode.RESET, Mode.REFUSE)


class LoopbackProxy:
    def __init__(self, port: int, target_port: int, *, host: str = "127.0.0.1",
                 seed: int = 1) -> None:
        self.host, self.port, self.delay_s = host, port, 2.0
        self._target_port, self._random = target_port, random.Random(seed)
        self._mode = Mode.PASS
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._listen)

    def set_mode(self, mode: Mode) -> None:
        """Returns when it is so."""
        self._run(lambda: self._change(mode))

    def cut(self) -> None:
        """Resets all open connections, once."""
        self._run(self._reset_all)

    def close(self) -> None:
        self.set_mode(Mode.REFUSE)
        self._run(self._cancel_all)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, make: Callable) -> None:
        asyncio.run_coroutine_threadsafe(make(), self._loop).result(30)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)

    async def _change(self, mode: Mode) -> None:
        was_swallowing = self._mode is Mode.HALF_OPEN
        self._mode = mode
        if mode is Mode.BLACKHOLE:
            self._flows.clear()
        else:
            self._flows.set()
        if mode is Mode.REFUSE and self._server is not None:
            self._server.close()
            self._server = None
        if mode in RESETTING or was_swallowing:
            await self._reset_all()
        if mode is not Mode.REFUSE and self._server is None:
            await self._listen()

    async def _reset_all(self) -> None:
        for writer in list(self._writers):
            reset(writer)

    async def _cancel_all(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._joined(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # the other side sees it as a reset
        finally:
            reset(writer)
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def _joined(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._mode in (Mode.RESET, Mode.REFUSE):
            return
        if self._mode is Mode.HALF_OPEN:
            while await reader.read(PIECE_BYTES):
                pass
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers.add(far_writer)
        pumps = {asyncio.ensure_future(self._pump(reader, far_writer)),
                 asyncio.ensure_future(self._pump(far_reader, writer))}
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            reset(far_writer)
            self._writers.discard(far_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pieces keep their order; each is due at its own time, so that a delay is no bottleneck."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=1000)
        delivery = asyncio.ensure_future(self._deliver(pieces, writer))
        try:
            while piece := await reader.read(PIECE_BYTES):
                await pieces.put((self._loop.time() + self._lateness_s(), piece))
        finally:
            delivery.cancel()

    async def _deliver(self, pieces: asyncio.Queue, writer: asyncio.StreamWriter) -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            await self._flows.wait()
            try:
                writer.write(piece)
                await writer.drain()
            except OSError:
                return  # the reading side of this peer ends both pumps

    def _lateness_s(self) -> float:
        if self._mode is Mode.DELAY:
            return self.delay_s
        if self._mode is Mode.STUTTER and self._random.random() < 0.05:
            return self._random.uniform(0.2, 0.6)
        return 0.0


def reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST: no further byte is sent and the peer hears of it at once."""
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.is_closing():
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
