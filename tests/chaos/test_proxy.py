"""The proxy does to a wire what it says, and makes it whole again."""

import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from infra.kafka.local import free_ports
from tests.chaos.proxy import Proxy


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while data := self.request.recv(65536):
            self.request.sendall(data)


@pytest.fixture
def wire() -> Iterator[tuple[Proxy, int]]:
    """A proxy before a server that says back what it is told."""
    port, target = free_ports(2)
    with socketserver.ThreadingTCPServer(("127.0.0.1", target), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Proxy(port, target) as proxy:
            yield proxy, port
        server.shutdown()


def said_back(connection: socket.socket, data: bytes) -> bytes:
    connection.sendall(data)
    found = b""
    while len(found) < len(data) and (piece := connection.recv(65536)):
        found += piece
    return found


def test_what_is_sent_arrives_whole(wire: tuple[Proxy, int]) -> None:
    """Of any size, each way."""
    data = bytes(range(256)) * 4000
    with socket.create_connection(("127.0.0.1", wire[1]), 10) as connection:
        assert said_back(connection, data) == data


def test_a_cut_wire_ends_connections_until_it_is_healed(wire: tuple[Proxy, int]) -> None:
    """Those there were, and new ones; afterwards it is whole."""
    proxy, port = wire
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert said_back(connection, b"x") == b"x"
        proxy.cut()
        with suppress(ConnectionError):  # reset is as good an end
            assert connection.recv(1) == b""
    proxy.heal()
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert said_back(connection, b"y") == b"y"


def test_a_frozen_wire_lets_nothing_through_and_loses_nothing(wire: tuple[Proxy, int]) -> None:
    """What was sent meanwhile arrives when it is healed."""
    proxy, port = wire
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        assert said_back(connection, b"x") == b"x"
        proxy.freeze()
        time.sleep(0.1)
        connection.sendall(b"later")
        connection.settimeout(0.3)
        with pytest.raises(TimeoutError):
            connection.recv(10)
        proxy.heal()
        connection.settimeout(10)
        assert connection.recv(10) == b"later"


def test_a_slow_wire_takes_longer(wire: tuple[Proxy, int]) -> None:
    """There and back, by what it was told."""
    proxy, port = wire
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        proxy.slow(0.2)
        started = time.monotonic()
        assert said_back(connection, b"x") == b"x"
        assert time.monotonic() - started > 0.39
