"""For programs that do not await: a connection that lives in a thread of its own.

`connect(DbConnection(...))` takes the class of the generated package as it is.
"""

from .connection import SyncConnection, connect
from .subscription import SyncSubscriptionBuilder, SyncSubscriptionHandle
from .thread import use_event_loop

__all__ = [
    "SyncConnection",
    "SyncSubscriptionBuilder",
    "SyncSubscriptionHandle",
    "connect",
    "use_event_loop",
]
