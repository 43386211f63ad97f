"""The proxy itself, between plain sockets."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from .proxy import Cut, Delay, Direction, Ending, Proxy, Stall, Truncate, random_cut

# Seconds after which a socket call that hangs fails.
PATIENCE = 10.0


class Echo:
    """A server that sends back what it gets and keeps it."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.received: list[bytearray] = []
        self.resets = 0
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def _accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            received = bytearray()
            if self._is_closing(connection):
                return
            self.received.append(received)
            thread = threading.Thread(target=self._serve, args=(connection, received))
            self._threads.append(thread)
            thread.start()

    def _is_closing(self, connection: socket.socket) -> bool:
        if self.listener.gettimeout() is None:
            return False
        connection.close()
        return True

    def _serve(self, connection: socket.socket, received: bytearray) -> None:
        connection.settimeout(PATIENCE)
        with connection:
            try:
                while data := connection.recv(65536):
                    received += data
                    connection.sendall(data)
            except ConnectionError:
                self.resets += 1

    def close(self) -> None:
        self.listener.settimeout(PATIENCE)
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._accepting.join(PATIENCE)
        self.listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
            assert not thread.is_alive()


@pytest.fixture
def echo() -> Iterator[Echo]:
    server = Echo()
    yield server
    server.close()


@pytest.fixture
def proxy(echo: Echo) -> Iterator[Proxy]:
    with Proxy(echo.port) as proxy:
        yield proxy


@contextmanager
def connected(proxy: Proxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE) as client:
        yield client


def receive_all(client: socket.socket) -> bytes:
    """Until the end, which may be a reset."""
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionError:
        pass
    return received


def ends_by_reset(client: socket.socket) -> bool:
    try:
        while client.recv(65536):
            pass
    except ConnectionResetError:
        return True
    return False


def receive_until_timeout(client: socket.socket) -> bytes:
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except TimeoutError:
        return received
    raise AssertionError("the connection ended")


def exchange(client: socket.socket, data: bytes) -> None:
    """Send and get it back."""
    client.sendall(data)
    received = b""
    while len(received) < len(data):
        more = client.recv(65536)
        assert more
        received += more
    assert received == data


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.005)


def test_it_forwards_both_ways_and_counts(proxy: Proxy) -> None:
    data = random.Random(1).randbytes(300_000)
    with connected(proxy) as client:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        received = b""
        while len(received) < len(data):
            received += client.recv(65536)
        sender.join(PATIENCE)
        assert received == data
        assert proxy.open_clients == 1
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert proxy.counts.connections == 1
    assert proxy.counts.bytes == dict.fromkeys(Direction, len(data))
    until(lambda: proxy.open_clients == 0)


@pytest.mark.parametrize("after", [0, 1, 7, 20])
@pytest.mark.parametrize("direction", Direction)
def test_a_cut_lets_exactly_so_many_bytes_through(
    proxy: Proxy, echo: Echo, direction: Direction, after: int
) -> None:
    proxy.inject(Cut(direction, after, Ending.FINISH))
    with connected(proxy) as client:
        client.sendall(b"0123456789" * 2)
        received = receive_all(client)
    assert proxy.counts.cuts == 1
    if direction is Direction.UP:
        until(lambda: echo.received and bytes(echo.received[0]) == (b"0123456789" * 2)[:after])
        assert (b"0123456789" * 2).startswith(received)
    else:
        assert received == (b"0123456789" * 2)[:after]
    assert echo.resets == 0


def test_a_reset_reaches_both_sides(proxy: Proxy, echo: Echo) -> None:
    with connected(proxy) as client:
        exchange(client, b"before")
        proxy.inject(Cut(Direction.UP, 3, Ending.RESET))
        client.sendall(b"after")
        assert ends_by_reset(client)
    until(lambda: echo.resets == 1)


def test_bytes_count_over_connections_and_faults_come_in_order(proxy: Proxy, echo: Echo) -> None:
    first, second = Cut(Direction.UP, 8, Ending.FINISH), Truncate(Direction.DOWN, 2)
    proxy.inject(first, second)
    with connected(proxy) as client:
        exchange(client, b"01234")
    with connected(proxy) as client:
        client.sendall(b"56789")
        receive_all(client)
    until(lambda: echo.received[1:] and bytes(echo.received[1]) == b"567")
    assert proxy.faults_left == 1
    with connected(proxy) as client:
        client.sendall(b"abcdef")
        assert receive_all(client) == b"ab"
    assert (proxy.faults_left, proxy.counts.cuts) == (0, 2)
    with connected(proxy) as client:
        exchange(client, b"all is well")


def test_a_cut_now(proxy: Proxy) -> None:
    with connected(proxy) as one, connected(proxy) as other:
        exchange(one, b"1")
        exchange(other, b"2")
        proxy.cut(Ending.FINISH)
        assert one.recv(1) == other.recv(1) == b""
    assert proxy.counts.cuts == 2


@pytest.mark.parametrize("directions", [(Direction.UP,), (Direction.DOWN,), tuple(Direction)])
def test_a_stall_keeps_the_sockets_and_every_byte(
    proxy: Proxy, echo: Echo, directions: tuple[Direction, ...]
) -> None:
    proxy.inject(Stall(Direction.UP, 2, directions))
    with connected(proxy) as client:
        client.sendall(b"0123")
        until(lambda: proxy.counts.stalls)
        with connected(proxy) as other:
            exchange(other, b"other connections are as they were")
        client.settimeout(0.05)
        received = receive_until_timeout(client)
        assert len(received) < 4
        if Direction.UP in directions:
            assert len(echo.received[0]) <= 2
        client.settimeout(PATIENCE)
        proxy.resume()
        while len(received) < 4:
            received += client.recv(10)
        assert received == b"0123"
    assert proxy.counts.cuts == 0


def test_a_stall_ends_by_itself(proxy: Proxy) -> None:
    proxy.inject(Stall(Direction.UP, 0, seconds=0.05))
    with connected(proxy) as client:
        client.sendall(b"0")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert proxy.counts.cuts == 1


def test_stalling_by_command(proxy: Proxy) -> None:
    with connected(proxy) as client:
        exchange(client, b"before")
        proxy.stall(Direction.DOWN)
        client.sendall(b"after")
        client.settimeout(0.05)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(PATIENCE)
        proxy.clear()
        assert client.recv(5) in (b"after", b"after"[:1], b"after"[:2], b"after"[:3], b"after"[:4])


def test_a_delay_holds_back_and_loses_nothing(proxy: Proxy) -> None:
    proxy.inject(Delay(Direction.DOWN, 0.02, 2), Cut(Direction.UP, 3, Ending.FINISH))
    with connected(proxy) as client:
        exchange(client, b"0")
        assert proxy.counts.delays == 1
        exchange(client, b"1")
        assert proxy.counts.delays == 2
        client.sendall(b"234")
        receive_all(client)
    assert proxy.counts.cuts == 1


def test_connections_are_refused_for_a_while(proxy: Proxy) -> None:
    for _ in range(3):
        with connected(proxy) as present:
            exchange(present, b"before")
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError), connected(proxy):
                pass
            exchange(present, b"present ones live on")
            proxy.accept()
            proxy.accept()
            with connected(proxy) as later:
                exchange(later, b"after")


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    # The reset may come before the client has seen that it is connected.
    with Proxy(port) as proxy, suppress(ConnectionResetError), connected(proxy) as client:
        assert receive_all(client) == b""


def test_leaving_the_block_ends_everything(echo: Echo) -> None:
    with Proxy(echo.port) as proxy:
        client = socket.create_connection(("127.0.0.1", proxy.port), PATIENCE)
        exchange(client, b"x")
        proxy.stall()
        client.sendall(b"y")
        port = proxy.port
    with client, pytest.raises(ConnectionError):
        client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), PATIENCE)


def test_a_seed_gives_the_same_faults() -> None:
    def faults(seed: int) -> list[object]:
        rng = random.Random(seed)
        return [random_cut(rng) for _ in range(50)]

    assert faults(7) == faults(7) != faults(8)
    assert {type(fault) for fault in faults(7)} == {Cut, Truncate}
