"""What modules raise and catch.

DeclarationError              a table, type or function that no module can have
ReducerError                  raised by the program: the caller gets its text as it is
HostError                     errno, call, table: the database refused
├── UniqueViolation           there is a row with this value of a unique column already
├── NoSuchRow                 `update` found no row with this key
├── AutoIncOverflow           a sequence has no numbers left
└── ScheduleTooFar            a scheduled time that is too far away
"""

from __future__ import annotations


class DeclarationError(Exception):
    """A declaration that cannot be; the text begins with its file and line."""


class ReducerError(Exception):
    """Refuse the call: the transaction is rolled back and the caller gets this text.

    Any other exception does the same, with its type before the text and a traceback in the log.
    """


class HostError(RuntimeError):
    """The database refused an operation.

    `errno` is its number in the ABI, `call` the function, `table` the table if it is known.
    """

    errno: int = 0
    call: str = ""
    table: str | None = None


class UniqueViolation(HostError):
    """A row with this value of a unique column is in the table already."""


class NoSuchRow(HostError):
    """`update` found no row with the key of the row it was given."""


class AutoIncOverflow(HostError):
    """The sequence of an auto-increment column has no numbers left."""


class ScheduleTooFar(HostError):
    """The time of a scheduled row is too far in the future."""
