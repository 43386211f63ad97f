"""The cases of SpacetimeDB's own SDK tests (2.8.3), by their names, and the ones not run here.

`docs/conformance.md` is this as a table: `python -m tests.conformance.upstream` prints it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .cases import CASES
from .registry import CONTRACT

_SCHEDULER = "about the server's scheduler: no client has a part in it"
_NO_JOIN = "a join with a view: no server that can be built from source here has views"
_IN_PROCEDURE = "what a procedure does in the server: its client only awaits the result"


@dataclass(frozen=True)
class Group:
    """The cases of one of the test programs."""

    title: str
    cases: tuple[str, ...]


GROUPS = (
    Group(
        "`test-client`",
        (
            "insert-primitive",
            "subscribe-and-cancel",
            "subscribe-and-unsubscribe",
            "subscription-error-smoke-test",
            "delete-primitive",
            "update-primitive",
            "insert-identity",
            "insert-caller-identity",
            "delete-identity",
            "update-identity",
            "insert-connection-id",
            "insert-caller-connection-id",
            "delete-connection-id",
            "update-connection-id",
            "insert-timestamp",
            "insert-call-timestamp",
            "insert-uuid",
            "insert-call-uuid-v4",
            "insert-call-uuid-v7",
            "delete-uuid",
            "update-uuid",
            "on-reducer",
            "fail-reducer",
            "insert-vec",
            "insert-option-some",
            "insert-option-none",
            "insert-struct",
            "insert-simple-enum",
            "insert-enum-with-payload",
            "insert-delete-large-table",
            "insert-primitives-as-strings",
            "resubscribe",
            "reauth",
            "should-fail",
            "reconnect-different-connection-id",
            "caller-always-notified",
            "subscribe-all-select-star",
            "caller-alice-receives-reducer-callback-but-not-bob",
            "row-deduplication",
            "row-deduplication-join-r-and-s",
            "row-deduplication-r-join-s-and-r-joint",
            "test-lhs-join-update",
            "test-lhs-join-update-disjoint-queries",
            "test-intra-query-bag-semantics-for-join",
            "two-different-compression-algos",
            "test-parameterized-subscription",
            "test-rls-subscription",
            "pk-simple-enum",
            "indexed-simple-enum",
            "overlapping-subscriptions",
            "sorted-uuids-insert",
        ),
    ),
    Group("`connect_disconnect_client`", ("connect-disconnect-callback",)),
    Group(
        "`event-table-client`",
        ("event-table", "multiple-events", "events-dont-persist", "v1-rejects-event-table"),
    ),
    Group(
        "`procedure-client`",
        (
            "procedure-return-values",
            "procedure-observe-panic",
            "procedure-http-ok",
            "procedure-http-err",
            "insert-with-tx-commit",
            "insert-with-tx-rollback",
            "schedule-procedure",
        ),
    ),
    Group(
        "`procedure-concurrency-client`",
        (
            "procedure-reducer-interleaving",
            "procedure-reducer-same-client-interleaved",
            "procedure-concurrent-with-scheduled-reducer",
            "scheduled-procedure-scheduled-reducer-not-interleaved",
        ),
    ),
    Group(
        "`view-client`",
        (
            "view-anonymous-subscribe",
            "view-anonymous-subscribe-with-query-builder",
            "view-non-anonymous-subscribe",
            "view-non-table-return",
            "view-non-table-query-builder-return",
            "view-subscription-update",
            "view-disconnect-does-not-break-sender-updates",
        ),
    ),
    Group(
        "`view-pk-client`",
        (
            "view-pk-on-update",
            "view-pk-join-query-builder",
            "view-pk-semijoin-two-sender-views-query-builder",
        ),
    ),
    Group(
        "`procedural-view-pk-client`",
        ("sender-scoped-pk-view", "view-pk-left-semijoin", "view-pk-right-semijoin"),
    ),
    Group(
        "`case-conversion-client`",
        (
            "insert-player",
            "insert-person",
            "ban-player",
            "query-builder-filter",
            "query-builder-join",
            "view",
        ),
    ),
)

LEFT_OUT = {
    "insert-call-uuid-v4": "upstream's case is empty; the peer's modules make no UUIDs",
    "insert-call-uuid-v7": "upstream's case is empty; the peer's modules make no UUIDs",
    "procedure-http-ok": _IN_PROCEDURE,
    "procedure-http-err": _IN_PROCEDURE,
    "insert-with-tx-rollback": _IN_PROCEDURE,
    "schedule-procedure": _SCHEDULER,
    "procedure-reducer-interleaving": _SCHEDULER,
    "procedure-reducer-same-client-interleaved": _SCHEDULER,
    "procedure-concurrent-with-scheduled-reducer": _SCHEDULER,
    "scheduled-procedure-scheduled-reducer-not-interleaved": _SCHEDULER,
    "view-pk-join-query-builder": _NO_JOIN,
    "view-pk-semijoin-two-sender-views-query-builder": _NO_JOIN,
    "view-pk-left-semijoin": _NO_JOIN,
    "view-pk-right-semijoin": _NO_JOIN,
    "insert-person": "a nested type with digits in its names: `tests/codegen` has such a package",
    "ban-player": "a reducer with a name of its own: `tests/codegen` has such a package",
    "query-builder-join": "`tests/live/test_queries.py` has joins, on names that nobody changes",
}
HEAD = "| case | here |\n| --- | --- |\n"


def table(group: Group) -> str:
    return HEAD + "".join([f"| `{name}` | {_verdict(name)} |\n" for name in group.cases])


def _verdict(name: str) -> str:
    if name in LEFT_OUT:
        return f"not run: {LEFT_OUT[name]}"
    case = CASES[name]
    if case.module != CONTRACT:
        return "the peer over v2 and v3"
    return "the real server" if case.needs_host else "the real server, and the peer over v3"


def document() -> str:
    """The part of the page that is made."""
    return "\n".join([f"## {group.title}\n\n{table(group)}" for group in GROUPS])


if __name__ == "__main__":
    print(document(), end="")
