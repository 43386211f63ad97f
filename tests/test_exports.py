"""The public names, so that a change of them is seen."""

from __future__ import annotations

import spacetime_py
from spacetime_py import bindings, exceptions, sync

PUBLIC = {
    *exceptions.__all__,
    "Added",
    "CallStats",
    "Change",
    "Credentials",
    "KeyringStore",
    "LiveRow",
    "LiveRows",
    "Removed",
    "Stream",
    "TokenStore",
    "Transaction",
    "Updated",
    "Changes",
    "ConnectionId",
    "ConnectionState",
    "ConnectionStats",
    "ConnectionStatus",
    "DbConnectionBuilder",
    "Err",
    "EventContext",
    "Identity",
    "Index",
    "MemoryTransport",
    "Ok",
    "ProcedureCall",
    "Reconnect",
    "ReconnectAttempt",
    "ReconnectedEvent",
    "ReducerCall",
    "ReducerEvent",
    "ScheduleAt",
    "Some",
    "SubscribeAppliedEvent",
    "SubscribeErrorEvent",
    "SubscriptionBuilder",
    "SubscriptionHandle",
    "Table",
    "StreamStats",
    "TableChanges",
    "TableStats",
    "Timing",
    "TimeDuration",
    "Timestamp",
    "UniqueIndex",
    "UnknownTransactionEvent",
    "UnsubscribeAppliedEvent",
    "__version__",
    "asdict",
    "connect",
    "from_bsatn",
    "from_json",
    "into",
    "replace",
    "to_bsatn",
    "to_json",
}

# What the contract with generated code names (spacetime_py_codegen).
FOR_BINDINGS = {
    "Column",
    "Columns",
    "DbConnection",
    "EventContext",
    "Index",
    "Module",
    "ProcedureCall",
    "Procedures",
    "Queries",
    "Query",
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


def test_names_for_programs_that_do_not_await() -> None:
    functions = {"connect", "use_event_loop"}
    classes = {"SyncConnection", "SyncSubscriptionBuilder", "SyncSubscriptionHandle"}
    assert set(sync.__all__) == functions | classes


def test_classes_name_their_public_place() -> None:
    for name in spacetime_py.__all__:
        value = getattr(spacetime_py, name)
        if isinstance(value, type):
            assert value.__module__ == "spacetime_py", name
