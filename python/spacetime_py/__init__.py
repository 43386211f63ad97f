"""SpacetimeDB for Python: connect, subscribe, call reducers, hear of changes.

Programs use the `DbConnection` of the package that `spacetime-py generate` writes for their module,
or `connect`, which needs none; the rest here are the values, events and errors that they meet.
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
from .changes import Added, Change, Removed, Transaction, Updated
from .context import (
    EventContext,
    ReconnectedEvent,
    ReducerEvent,
    SubscribeAppliedEvent,
    SubscribeErrorEvent,
    UnknownTransactionEvent,
    UnsubscribeAppliedEvent,
)
from .conversion import into
from .credentials import Credentials, KeyringStore, TokenStore
from .dynamic import connect
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
    ConversionError,
    CredentialsError,
    DecodeError,
    EncodeError,
    HandshakeRejected,
    HttpError,
    IdentityChanged,
    InternalError,
    KeepaliveTimeout,
    MissingExtra,
    ProcedureError,
    ProjectError,
    ProtocolError,
    QueryError,
    RecordingError,
    ReducerError,
    SchemaMismatchError,
    SenderError,
    SpacetimeDBError,
    StreamOverflow,
    SubscriptionError,
    TokenUnavailable,
)
from .live import LiveRow, LiveRows
from .reconnect import Reconnect, ReconnectAttempt
from .reducer import ProcedureCall, ReducerCall
from .rows import asdict, from_json, replace, to_json
from .state import ConnectionState, ConnectionStatus
from .stats import CallStats, ConnectionStats, StreamStats, TableStats, Timing
from .stream import Stream
from .subscription import SubscriptionBuilder, SubscriptionHandle
from .sums import Err, Ok, Some
from .table import Index, Table, UniqueIndex
from .transport import MemoryTransport

ScheduleAt: TypeAlias = TimeDuration | Timestamp

__all__ = [
    "Added",
    "AlreadyEnded",
    "AlreadyUnsubscribed",
    "AuthenticationError",
    "CallStats",
    "CallTimeout",
    "Change",
    "Changes",
    "CodegenError",
    "ConnectError",
    "ConnectTimeout",
    "ConnectionClosed",
    "ConnectionId",
    "ConnectionLost",
    "ConnectionState",
    "ConnectionStats",
    "ConnectionStatus",
    "ConversionError",
    "Credentials",
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
    "KeyringStore",
    "LiveRow",
    "LiveRows",
    "MemoryTransport",
    "MissingExtra",
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
    "Removed",
    "ScheduleAt",
    "SchemaMismatchError",
    "SenderError",
    "Some",
    "SpacetimeDBError",
    "Stream",
    "StreamOverflow",
    "StreamStats",
    "SubscribeAppliedEvent",
    "SubscribeErrorEvent",
    "SubscriptionBuilder",
    "SubscriptionError",
    "SubscriptionHandle",
    "Table",
    "TableChanges",
    "TableStats",
    "TimeDuration",
    "Timestamp",
    "Timing",
    "TokenStore",
    "TokenUnavailable",
    "Transaction",
    "UniqueIndex",
    "UnknownTransactionEvent",
    "UnsubscribeAppliedEvent",
    "Updated",
    "__version__",
    "asdict",
    "connect",
    "from_bsatn",
    "from_json",
    "into",
    "replace",
    "to_bsatn",
    "to_json",
]

# Messages and pickles name the public place of a class, not the file that it happens to be in.
for _name in __all__:
    _value = globals()[_name]
    if isinstance(_value, type) and _value.__module__.startswith("spacetime_py."):
        _value.__module__ = "spacetime_py"
