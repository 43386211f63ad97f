"""The public names, so that a change of them is seen."""

from __future__ import annotations

import spacetime_py
from spacetime_py import bindings, exceptions

PUBLIC = {
    *exceptions.__all__,
    "ConnectionId",
    "DbConnectionBuilder",
    "Err",
    "EventContext",
    "Identity",
    "MemoryTransport",
    "Ok",
    "ProcedureCall",
    "ReducerCall",
    "ReducerEvent",
    "ScheduleAt",
    "Some",
    "SubscribeAppliedEvent",
    "SubscribeErrorEvent",
    "SubscriptionBuilder",
    "SubscriptionHandle",
    "Table",
    "TimeDuration",
    "Timestamp",
    "UniqueIndex",
    "UnknownTransactionEvent",
    "UnsubscribeAppliedEvent",
    "__version__",
    "from_bsatn",
    "to_bsatn",
}

# What the contract with generated code names (spacetime_py_codegen).
FOR_BINDINGS = {
    "DbConnection",
    "EventContext",
    "Module",
    "ProcedureCall",
    "Procedures",
    "ReducerCall",
    "Reducers",
    "Table",
    "Tables",
    "UniqueIndex",
    "plain_enum",
    "product",
    "variant",
}


def test_public_names() -> None:
    assert set(spacetime_py.__all__) == PUBLIC
    assert len(spacetime_py.__all__) == len(PUBLIC)


def test_names_for_generated_packages() -> None:
    assert set(bindings.__all__) == FOR_BINDINGS


def test_classes_name_their_public_place() -> None:
    for name in spacetime_py.__all__:
        value = getattr(spacetime_py, name)
        if isinstance(value, type):
            assert value.__module__ == "spacetime_py", name
