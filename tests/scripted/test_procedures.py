"""Calls of procedures, which servers before 1.8 do not know: only the script answers them here."""

from __future__ import annotations

import anyio
import pytest

from spacetime_py import (
    CallTimeout,
    ConnectionLost,
    ProcedureCall,
    ProcedureError,
    ProtocolError,
    bindings,
)

from . import wire
from .peer import PATIENCE, Peer, in_memory_options
from .wire import CallProcedure, array, option, string

pytestmark = pytest.mark.anyio


def module() -> bindings.Module:
    """One procedure, `add_one(x: u32) -> u32`, and nothing else."""
    u32_type = bytes([11])
    parameters = array([option(string("x")) + u32_type])
    procedure = string("add_one") + parameters + u32_type + b"\1"
    contents = {0: [], 1: [], 2: [], 3: [], 4: [procedure], 5: [], 13: []}
    return bindings.Module(b"\2" + array([bytes([n]) + array(c) for n, c in contents.items()]))


class RemoteProcedures(bindings.Procedures):
    def add_one(self, x: int, *, timeout: float | None = None) -> ProcedureCall[int]:
        return self._call("add_one", (x,), timeout)


class DbConnection(bindings.DbConnection):
    _module = module()
    _parts = (bindings.Tables, bindings.Reducers, RemoteProcedures)
    procedures: RemoteProcedures


def asked(peer: Peer) -> CallProcedure:
    message = peer.received[-1]
    assert isinstance(message, CallProcedure)
    return message


async def test_the_returned_value() -> None:
    peer = Peer()
    with anyio.fail_after(PATIENCE):
        async with DbConnection(**in_memory_options(peer)) as connection:
            call = connection.procedures.add_one(6)
            assert (asked(peer).procedure, asked(peer).args) == ("add_one", wire.u32(6))
            peer.send(wire.procedure_result(asked(peer).request_id, value=wire.u32(7)))
            assert await call == 7
            assert await call == 7


async def test_a_value_of_another_type_fails_the_call_only() -> None:
    peer = Peer()
    with anyio.fail_after(PATIENCE):
        async with DbConnection(**in_memory_options(peer)) as connection:
            call = connection.procedures.add_one(6)
            peer.send(wire.procedure_result(asked(peer).request_id, value=b"\1\2"))
            with pytest.raises(ProtocolError, match="add_one"):
                await call
            assert connection.is_active


async def test_failures() -> None:
    peer = Peer()
    with anyio.fail_after(PATIENCE):
        async with DbConnection(**in_memory_options(peer)) as connection:
            call = connection.procedures.add_one(6, timeout=0.01)
            with pytest.raises(CallTimeout, match="procedure `add_one`"):
                await call
            peer.send(wire.procedure_result(asked(peer).request_id, error="it panicked"))
            with pytest.raises(ProcedureError, match="procedure `add_one` failed: it panicked"):
                await call
            call = connection.procedures.add_one(6)
            peer.end()
            with pytest.raises(ConnectionLost) as caught:
                await call
            assert caught.value.maybe_executed
