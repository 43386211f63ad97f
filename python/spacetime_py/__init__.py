"""SpacetimeDB for Python: connect, subscribe, call reducers, hear of changes.

Programs use the `DbConnection` of the package that `spacetime-py generate` writes for their module;
what is here are the values, events and errors that they meet.
"""

from typing import TypeAlias

from ._core import (
    ConnectionId,
    Identity,
    TimeDuration,
    Timestamp,
    __version__,
    from_bsatn,
    to_bsatn,
)
from .builder import DbConnectionBuilder
from .callbacks import Changes, TableChanges
from .context import (
    EventContext,
    ReconnectedEvent,
    ReducerEvent,
    SubscribeAppliedEvent,
    SubscribeErrorEvent,
    UnknownTransactionEvent,
    UnsubscribeAppliedEvent,
)
from .exceptions import (
    AlreadyEnded,
    AlreadyUnsubscribed,
    AuthenticationError,
    CallTimeout,
    CodegenError,
    ConnectError,
    ConnectionClosed,
    ConnectionLost,
    ConnectTimeout,
    CredentialsError,
    DecodeError,
    EncodeError,
    HandshakeRejected,
    HttpError,
    IdentityChanged,
    InternalError,
    KeepaliveTimeout,
    ProcedureError,
    ProjectError,
    ProtocolError,
    QueryError,
    RecordingError,
    ReducerError,
    SchemaMismatchError,
    SenderError,
    SpacetimeDBError,
    SubscriptionError,
)
from .reconnect import Reconnect, ReconnectAttempt
from .reducer import ProcedureCall, ReducerCall
from .state import ConnectionState, ConnectionStatus
from .subscription import SubscriptionBuilder, SubscriptionHandle
from .sums import Err, Ok, Some
from .table import Index, Table, UniqueIndex
from .transport import MemoryTransport

ScheduleAt: TypeAlias = TimeDuration | Timestamp

__all__ = [
    "AlreadyEnded",
    "AlreadyUnsubscribed",
    "AuthenticationError",
    "CallTimeout",
    "Changes",
    "CodegenError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionClosed",
    "ConnectionId",
    "ConnectionLost",
    "ConnectionState",
    "ConnectionStatus",
    "CredentialsError",
    "DbConnectionBuilder",
    "DecodeError",
    "EncodeError",
    "Err",
    "EventContext",
    "HandshakeRejected",
    "HttpError",
    "Identity",
    "IdentityChanged",
    "Index",
    "InternalError",
    "KeepaliveTimeout",
    "MemoryTransport",
    "Ok",
    "ProcedureCall",
    "ProcedureError",
    "ProjectError",
    "ProtocolError",
    "QueryError",
    "Reconnect",
    "ReconnectAttempt",
    "ReconnectedEvent",
    "RecordingError",
    "ReducerCall",
    "ReducerError",
    "ReducerEvent",
    "ScheduleAt",
    "SchemaMismatchError",
    "SenderError",
    "Some",
    "SpacetimeDBError",
    "SubscribeAppliedEvent",
    "SubscribeErrorEvent",
    "SubscriptionBuilder",
    "SubscriptionError",
    "SubscriptionHandle",
    "Table",
    "TableChanges",
    "TimeDuration",
    "Timestamp",
    "UniqueIndex",
    "UnknownTransactionEvent",
    "UnsubscribeAppliedEvent",
    "__version__",
    "from_bsatn",
    "to_bsatn",
]

# Messages and pickles name the public place of a class, not the file that it happens to be in.
for _name in __all__:
    _value = globals()[_name]
    if isinstance(_value, type) and _value.__module__.startswith("spacetime_py."):
        _value.__module__ = "spacetime_py"
