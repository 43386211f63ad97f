"""Measures phases of a program: time, CPU, garbage collection, objects, bytes of the network."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import time
from array import array
from collections import defaultdict
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

from typing_extensions import Buffer

from spacetime_py.event_loop import on_asyncio
from spacetime_py.sockets import Network
from spacetime_py.transport import Driver, Endpoint, Transport

from .model import Better, Metric, latency_metrics
from .process import cpu_seconds


class GarbagePauses:
    """How long the program stood still for the garbage collector, in nanoseconds each."""

    def __init__(self) -> None:
        self.pauses = array("q")
        self._start = 0

    def __enter__(self) -> GarbagePauses:
        gc.callbacks.append(self._called)
        return self

    def __exit__(self, *_: object) -> None:
        gc.callbacks.remove(self._called)

    def _called(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._start = time.perf_counter_ns()
        else:
            self.pauses.append(time.perf_counter_ns() - self._start)


@dataclass
class Phase:
    """What one part of a round took."""

    seconds: float = 0.0
    cpu: float = 0.0
    """Seconds of this process."""
    server_cpu: float = 0.0
    """Of the server's process, in steps of 10 ms; 0 without one."""
    pauses: tuple[int, ...] = ()
    """Of the garbage collector, nanoseconds."""
    blocks: int = 0
    """Growth of the number of Python's memory blocks: about the objects that are new and stay."""


class Collector:
    """Values by metric and round. One round is everything between two calls of `next_round`."""

    def __init__(self, server_pid: int | None = None) -> None:
        self._server_pid = server_pid
        self._rounds: dict[str, list[float]] = defaultdict(list)
        self._units: dict[str, tuple[str, Better, str]] = {}
        self._latencies: dict[str, list[array[int]]] = defaultdict(list)
        self._round = -1
        self.next_round()

    def next_round(self) -> None:
        self._round += 1
        self.callbacks: dict[str, array[int]] = {}

    def put(self, name: str, value: float, unit: str, better: Better, note: str = "") -> None:
        """One value of this round."""
        self._rounds[name].append(value)
        self._units[name] = (unit, better, note)

    def latencies(self, name: str) -> array[int]:
        """A list to append nanoseconds to, for this round."""
        rounds = self._latencies[name]
        while len(rounds) <= self._round:
            rounds.append(array("q"))
        return rounds[self._round]

    @contextmanager
    def phase(self) -> Generator[Phase, None, None]:
        """Measures the block; the figures are there when it has ended."""
        phase = Phase()
        server = cpu_seconds(self._server_pid) if self._server_pid else 0.0
        with GarbagePauses() as garbage:
            blocks, cpu = sys.getallocatedblocks(), time.process_time()
            start = time.perf_counter()
            yield phase
            phase.seconds = time.perf_counter() - start
            phase.cpu = time.process_time() - cpu
            phase.blocks = sys.getallocatedblocks() - blocks
        phase.pauses = tuple(garbage.pauses)
        if self._server_pid:
            phase.server_cpu = cpu_seconds(self._server_pid) - server

    def put_work(self, name: str, phase: Phase, count: int, unit: str) -> None:
        """Throughput by the clock and by CPU time, what the server took, and GC pauses."""
        self.put(f"{name}, by the clock", count / phase.seconds, f"{unit}/s", "higher")
        self.put(
            f"{name}, by CPU time of the client",
            count / max(phase.cpu, 1e-9),
            f"{unit}/s",
            "higher",
        )
        if self._server_pid:
            self.put(f"{name}, CPU seconds of the client", phase.cpu, "s", "neither")
            self.put(f"{name}, CPU seconds of the server", phase.server_cpu, "s", "neither")
        pauses = sum(phase.pauses) / 1e9 / phase.seconds
        self.put(f"{name}, part of GC pauses", pauses * 100, "%", "neither")
        self.put(f"{name}, longest GC pause", max(phase.pauses, default=0), "ns", "neither")

    def timed(self, place: str, callback: Callable[..., object]) -> Callable[..., object]:
        """The callback, whose nanoseconds go to `callbacks[place]` of this round."""
        append = self.callbacks.setdefault(place, array("q")).append
        clock = time.perf_counter_ns

        @functools.wraps(callback)
        def called(*args: object) -> None:
            start = clock()
            try:
                callback(*args)
            finally:
                append(clock() - start)

        return called

    def metrics(self) -> tuple[Metric, ...]:
        """Everything, latencies first."""
        found: list[Metric] = []
        for name, rounds in self._latencies.items():
            found += latency_metrics(name, rounds)
        for name, values in self._rounds.items():
            unit, better, note = self._units[name]
            found.append(Metric(name, unit, better, tuple(values), None, note))
        return tuple(found)


class CountingNetwork:
    """The usual transport, which counts what it receives and sends. For `transport=`."""

    def __init__(self) -> None:
        self.received = 0
        self.sent = 0

    def __call__(self, endpoint: Endpoint, driver: Driver) -> Transport:
        def on_data(data: Buffer) -> None:
            self.received += len(memoryview(data))
            driver.on_data(data)

        def next_data() -> bytes:
            data = driver.next_data()
            self.sent += len(data)
            return data

        return Network()(endpoint, Driver(on_data, driver.on_end, next_data))


def tracked_objects() -> int:
    """Objects that the garbage collector looks at."""
    gc.collect()
    return len(gc.get_objects())


def loop_name() -> str:
    """The running event loop: `asyncio`, `uvloop` or `trio`."""
    if not on_asyncio():
        return "trio"
    module = type(asyncio.get_running_loop()).__module__
    return "uvloop" if module.startswith("uvloop") else "asyncio"
