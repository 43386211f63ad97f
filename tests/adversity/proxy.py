"""A TCP proxy on loopback that does to connections what networks do to them.

It runs in a thread of its own, so that it serves tests on asyncio and on trio. Faults are queued:
the first one counts bytes, over however many connections it takes, until it strikes, and then the
next one counts. So a second cut may hit the handshake of the connection that the first one caused.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, TypeAlias, TypeVar

from typing_extensions import Self

_T = TypeVar("_T")

_HOST = "127.0.0.1"
_READ_SIZE = 65536
# Seconds: for a command to the thread, for the end of the thread, for a peer to take a FIN.
_COMMAND_TIMEOUT = 10.0
_EXIT_TIMEOUT = 10.0
_DRAIN_TIMEOUT = 1.0
# No delay is longer than this, whatever a fault says.
_LONGEST_DELAY = 1.0


class Direction(Enum):
    UP = "up"
    """From the client to the server."""
    DOWN = "down"


class Ending(Enum):
    FINISH = "finish"
    """An orderly end of TCP: what was forwarded arrives."""
    RESET = "reset"
    """What was forwarded and not yet read may be lost."""


@dataclass(frozen=True)
class Cut:
    """After `after` more bytes in `direction`, the connection ends both ways."""

    direction: Direction
    after: int
    ending: Ending = Ending.RESET


@dataclass(frozen=True)
class Truncate:
    """Of what comes next in `direction` only the first `size` bytes arrive, then the end."""

    direction: Direction
    size: int


@dataclass(frozen=True)
class Stall:
    """After `after` more bytes in `direction` nothing moves in `directions`; nothing is closed.

    It ends by `Proxy.resume()`, or after `seconds`, when the connection is reset.
    """

    direction: Direction
    after: int
    directions: tuple[Direction, ...] = (Direction.UP, Direction.DOWN)
    seconds: float = 30.0


@dataclass(frozen=True)
class Delay:
    """Each of the next `chunks` reads in `direction` is held back for `seconds`."""

    direction: Direction
    seconds: float
    chunks: int = 1


Fault: TypeAlias = Cut | Truncate | Stall | Delay


def random_cut(rng: random.Random, longest: int = 2000) -> Cut | Truncate:
    """A fault that ends a connection, small and large numbers of bytes being as likely."""
    direction = rng.choice(list(Direction))
    size = rng.randrange(rng.choice((8, 200, longest)))
    if rng.random() < 0.25:
        return Truncate(direction, size)
    return Cut(direction, size, rng.choice(list(Ending)))


def random_stall(rng: random.Random) -> Stall:
    """A fault that only a keep-alive notices."""
    directions = rng.choice(((Direction.UP,), (Direction.DOWN,), tuple(Direction)))
    return Stall(rng.choice(list(Direction)), rng.randrange(500), directions)


def random_delay(rng: random.Random) -> Delay:
    return Delay(rng.choice(list(Direction)), rng.uniform(0.0005, 0.01), rng.randint(1, 5))


@dataclass
class Counts:
    """What happened so far."""

    connections: int = 0
    cuts: int = 0
    stalls: int = 0
    delays: int = 0
    bytes: dict[Direction, int] = field(default_factory=lambda: dict.fromkeys(Direction, 0))


class _Link:
    """One client, and the connection to the server made for it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.source = {Direction.UP: client, Direction.DOWN: server}
        self.sink = {Direction.UP: server, Direction.DOWN: client}
        self.moving = {direction: asyncio.Event() for direction in Direction}
        self.ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.client_is_there = True
        self.resume()

    def stall(self, directions: tuple[Direction, ...]) -> None:
        for direction in directions:
            self.moving[direction].clear()

    def resume(self) -> None:
        for event in self.moving.values():
            event.set()

    def end(self, ending: Ending) -> None:
        if not self.ending.done():
            self.ending.set_result(ending)


class Proxy:
    """A proxy to `server_port` of loopback, to be used in a `with` block.

    All methods may be called from any thread and return at once. `seed` decides how what is
    forwarded is split into writes.
    """

    def __init__(self, server_port: int, seed: int = 0) -> None:
        self.counts = Counts()
        self._server_port = server_port
        self._random = random.Random(seed)
        self._faults: deque[Fault] = deque()
        # Bytes that the first fault has seen pass.
        self._seen = 0
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._acceptor: asyncio.Task[None] | None = None
        # Bound and not listening, it keeps the port ours while connections are refused.
        self._holder = _bound_socket(0)
        self.port: int = self._holder.getsockname()[1]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run_thread, name="proxy", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    @property
    def open_clients(self) -> int:
        """How many clients have not closed their socket yet."""
        return self._ask(lambda: sum(link.client_is_there for link in self._links))

    @property
    def faults_left(self) -> int:
        """How many of the queued faults have not struck yet."""
        return len(self._faults)

    def inject(self, *faults: Fault) -> None:
        """Queue faults. One that does not end a connection lets the next one count at once."""
        self._ask(lambda: self._faults.extend(faults))

    def clear(self) -> None:
        """Forget all faults, let stalled connections go on, and take new ones."""
        self._ask(self._clear)

    def cut(self, ending: Ending = Ending.RESET) -> None:
        """End all connections now."""
        self._each(lambda link: self._cut(link, ending))

    def stall(self, *directions: Direction) -> None:
        """Nothing moves over the present connections any more, in these directions or in both."""
        chosen = directions or tuple(Direction)
        self._each(lambda link: link.stall(chosen))

    def resume(self) -> None:
        """Undo `stall()` and every `Stall`."""
        self._each(_Link.resume)

    def refuse(self) -> None:
        """Refuse new connections, as a port does where nobody listens."""
        self._ask(self._stop_listening)

    def accept(self) -> None:
        """Undo `refuse()`."""
        self._ask(self._listen)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(_COMMAND_TIMEOUT):
            raise RuntimeError("the proxy's thread did not start")
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_EXIT_TIMEOUT)
        self._holder.close()
        if self._thread.is_alive():
            raise RuntimeError("the proxy's thread did not end")

    # ------------------------------------------------------------ in the thread

    def _ask(self, command: Callable[[], _T]) -> _T:
        """Run a command in the thread. It gets the loop's next turn, so this hardly blocks."""
        assert self._loop is not None
        answer: Future[_T] = Future()

        def run() -> None:
            try:
                answer.set_result(command())
            except Exception as error:
                answer.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return answer.result(_COMMAND_TIMEOUT)

    def _each(self, command: Callable[[_Link], None]) -> None:
        def run() -> None:
            for link in self._links:
                command(link)

        self._ask(run)

    def _run_thread(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._listen()
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            self._stop_listening()
            for link in self._links:
                link.end(Ending.RESET)
            tasks = set(self._tasks)
            if tasks:
                await asyncio.wait(tasks, timeout=_DRAIN_TIMEOUT)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _clear(self) -> None:
        self._faults.clear()
        self._seen = 0
        for link in self._links:
            link.resume()
        self._listen()

    def _listen(self) -> None:
        if self._listener is None:
            self._listener = _bound_socket(self.port)
            self._listener.listen(128)
            self._acceptor = self._start(self._accept(self._listener))

    def _stop_listening(self) -> None:
        if self._listener is not None and self._acceptor is not None:
            # Closed at once, not when the task ends: from here on nobody gets through.
            asyncio.get_running_loop().remove_reader(self._listener)
            self._acceptor.cancel()
            self._listener.close()
            self._listener = self._acceptor = None

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(listener)
            self.counts.connections += 1
            self._start(self._serve(client))

    async def _serve(self, client: socket.socket) -> None:
        server = socket.socket()
        server.setblocking(False)
        link = _Link(client, server)
        self._links.add(link)
        ending = Ending.RESET
        try:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            address = (_HOST, self._server_port)
            await asyncio.get_running_loop().sock_connect(server, address)
            ending = await self._pump_both(link)
            if ending is Ending.FINISH:
                await _finish(client, server)
        except OSError:
            ending = Ending.RESET
        finally:
            self._links.discard(link)
            for end in (client, server):
                if ending is Ending.RESET:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.close()

    async def _pump_both(self, link: _Link) -> Ending:
        """How the connection ended: by a fault, by an error of one side, or by both in order."""
        pumps = {asyncio.create_task(self._pump(link, direction)) for direction in Direction}
        try:
            waiting: set[asyncio.Future[Any]] = {*pumps, link.ending}
            while not link.ending.done() and len(waiting) > 1:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
            return link.ending.result() if link.ending.done() else Ending.FINISH
        finally:
            # The sockets are closed next, so nothing may wait for them any more.
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _pump(self, link: _Link, direction: Direction) -> None:
        while data := await _receive(link, direction):
            await self._hold_back(direction)
            await self._forward(link, direction, data)
            if link.ending.done():
                return
        await link.moving[direction].wait()
        with suppress(OSError):
            link.sink[direction].shutdown(socket.SHUT_WR)

    async def _hold_back(self, direction: Direction) -> None:
        fault = self._faults[0] if self._faults else None
        if not isinstance(fault, Delay) or fault.direction is not direction:
            return
        self.counts.delays += 1
        if fault.chunks > 1:
            self._faults[0] = Delay(direction, fault.seconds, fault.chunks - 1)
        else:
            self._faults.popleft()
        await asyncio.sleep(min(fault.seconds, _LONGEST_DELAY))

    async def _forward(self, link: _Link, direction: Direction, data: bytes) -> None:
        while data and not link.ending.done():
            fault = self._faults[0] if self._faults else None
            if fault is None or isinstance(fault, Delay) or fault.direction is not direction:
                await self._deliver(link, direction, data)
                return
            size = fault.size if isinstance(fault, Truncate) else fault.after - self._seen
            passing, data = data[:size], data[size:]
            self._seen += len(passing)
            if len(passing) == size or isinstance(fault, Truncate):
                # Taken before anything is awaited: the other direction must not strike it again.
                self._faults.popleft()
                self._seen = 0
                await self._deliver(link, direction, passing)
                self._strike(link, fault)
            else:
                await self._deliver(link, direction, passing)

    def _strike(self, link: _Link, fault: Cut | Truncate | Stall) -> None:
        if isinstance(fault, Stall):
            self.counts.stalls += 1
            link.stall(fault.directions)
            asyncio.get_running_loop().call_later(fault.seconds, self._expire, link)
        else:
            self._cut(link, fault.ending if isinstance(fault, Cut) else Ending.FINISH)

    def _cut(self, link: _Link, ending: Ending) -> None:
        if not link.ending.done():
            self.counts.cuts += 1
            link.end(ending)

    def _expire(self, link: _Link) -> None:
        if link in self._links and not all(event.is_set() for event in link.moving.values()):
            self._cut(link, Ending.RESET)

    async def _deliver(self, link: _Link, direction: Direction, data: bytes) -> None:
        loop = asyncio.get_running_loop()
        for piece in self._split(data):
            await link.moving[direction].wait()
            await loop.sock_sendall(link.sink[direction], piece)
            self.counts.bytes[direction] += len(piece)

    def _split(self, data: bytes) -> list[bytes]:
        """Now and then in two: TCP keeps no boundaries."""
        if len(data) < 2 or self._random.random() < 0.75:
            return [data] if data else []
        middle = self._random.randrange(1, len(data))
        return [data[:middle], data[middle:]]


def _bound_socket(port: int) -> socket.socket:
    """One of several at the same port, of which only one listens."""
    bound = socket.socket()
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "SO_REUSEPORT"):
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.bind((_HOST, port))
    return bound


async def _receive(link: _Link, direction: Direction) -> bytes:
    try:
        data = await asyncio.get_running_loop().sock_recv(link.source[direction], _READ_SIZE)
    except OSError:
        link.client_is_there &= direction is not Direction.UP
        raise
    if not data:
        link.client_is_there &= direction is not Direction.UP
    return data


async def _finish(*ends: socket.socket) -> None:
    """End in order: closing a socket with unread bytes would be a reset."""
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_WR)
    drains = [asyncio.create_task(_drain(end)) for end in ends]
    await asyncio.wait(drains, timeout=_DRAIN_TIMEOUT)
    for drain in drains:
        drain.cancel()
    await asyncio.gather(*drains, return_exceptions=True)


async def _drain(end: socket.socket) -> None:
    with suppress(OSError):
        while await asyncio.get_running_loop().sock_recv(end, _READ_SIZE):
            pass
