"""The proxy does what its modes say; the faults behind it would else prove nothing."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from typing import Iterator

import pytest

from kafka_cluster import free_ports
from loopback_proxy import LoopbackProxy, Mode

PATIENCE_S = 0.4


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while data := self.request.recv(1000):
                self.request.sendall(data)
        except OSError:
            pass


@pytest.fixture()
def echo_proxy() -> Iterator[LoopbackProxy]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = LoopbackProxy(free_ports(1)[0], server.server_address[1])
        yield made
        made.close()
        server.shutdown()


def connected(to: LoopbackProxy) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", to.port), timeout=5)
    one.settimeout(PATIENCE_S)
    return one


def echoes(one: socket.socket) -> bool:
    """False: silence. A reset is an error."""
    one.sendall(b"x")
    try:
        return one.recv(1) == b"x"
    except socket.timeout:
        return False


def test_it_passes(echo_proxy: LoopbackProxy) -> None:
    with connected(echo_proxy) as one:
        assert echoes(one)


def test_it_delays(echo_proxy: LoopbackProxy) -> None:
    echo_proxy.delay_s = 0.2
    echo_proxy.set_mode(Mode.DELAY)
    with connected(echo_proxy) as one:
        one.settimeout(5)
        began = time.monotonic()
        assert echoes(one)
        assert time.monotonic() - began >= 0.4  # there and back


def test_it_swallows_and_lets_go(echo_proxy: LoopbackProxy) -> None:
    with connected(echo_proxy) as one:
        assert echoes(one)
        echo_proxy.set_mode(Mode.BLACKHOLE)
        assert not echoes(one)
        echo_proxy.set_mode(Mode.PASS)
        one.settimeout(5)
        assert one.recv(1) == b"x"


def test_half_open_is_accepted_and_silent(echo_proxy: LoopbackProxy) -> None:
    with connected(echo_proxy) as before:
        assert echoes(before)
        echo_proxy.set_mode(Mode.HALF_OPEN)
        with pytest.raises(ConnectionError):
            before.settimeout(5)
            before.recv(1)
    with connected(echo_proxy) as one:
        assert not echoes(one)


def test_cut_connections_are_reset(echo_proxy: LoopbackProxy) -> None:
    with connected(echo_proxy) as one:
        assert echoes(one)
        echo_proxy.cut()
        one.settimeout(5)
        with pytest.raises(ConnectionError):
            one.recv(1)
    with connected(echo_proxy) as again:
        assert echoes(again)


def test_refused_is_refused_until_it_passes_again(echo_proxy: LoopbackProxy) -> None:
    echo_proxy.set_mode(Mode.REFUSE)
    with pytest.raises(ConnectionRefusedError):
        connected(echo_proxy)
    echo_proxy.set_mode(Mode.PASS)
    with connected(echo_proxy) as one:
        assert echoes(one)
