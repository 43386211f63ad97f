"""What only servers of 2.x have: event tables, views, procedures, names that they settle."""

from __future__ import annotations

from typing import Any

from spacetime_py import Identity, ProcedureError, SubscriptionError

from ..registry import MOD28, NEWER, case
from ..world import Failed, World, equal, holds, listen, listen_to_events, own_call, until


@case("event-table", module=NEWER)
async def event_table(world: World) -> None:
    """Its rows are told as inserts, never as deletes, and are in no cache."""
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM happening")
        heard = listen(connection, "happening")
        events = listen_to_events(connection, "happening")
        await connection.reducers.insert_happening("hello", 42)
        equal(heard, [("insert", world.row("happening", "hello", 42))], "callbacks")
        own_call(events[0], "insert_happening", "hello", 42)
        equal(len(connection.db.happening), 0, "rows in the cache")


@case("multiple-events", module=MOD28)
async def multiple_events(world: World) -> None:
    """All rows of one transaction, in one callback each."""
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM spark")
        heard = listen(connection, "spark")
        await connection.reducers.emit_sparks(3)
        rows = [("insert", world.row("spark", n, f"spark-{n}")) for n in range(3)]
        equal(sorted(heard, key=lambda told: told[1].kind), rows, "callbacks")


@case("events-dont-persist", module=NEWER)
async def events_dont_persist(world: World) -> None:
    """Later transactions and later subscriptions have none of them."""
    async with world.connect() as connection, world.connect() as late:
        await connection.subscribe("SELECT * FROM happening")
        heard = listen(connection, "happening")
        await connection.reducers.insert_happening("hello", 42)
        await connection.reducers.no_op_succeeds()
        equal(len(heard), 1, "callbacks")
        heard_late = listen(late, "happening")
        await late.subscribe("SELECT * FROM happening")
        await late.reducers.no_op_succeeds()
        equal((heard_late, len(late.db.happening)), ([], 0), "what who comes later sees")


@case("v1-rejects-event-table", module=NEWER)
async def v1_rejects_event_table(world: World) -> None:
    """Over version 1 there are no event tables, and the error says what to do."""
    async with world.connect(protocols=("v1",)) as connection:
        try:
            await connection.subscribe("SELECT * FROM happening")
        except SubscriptionError as error:
            holds("v2" in error.message, f"the error names version 2: {error.message}")
        else:
            raise Failed("an event table was subscribed to over version 1")


@case("procedure-return-values", module=MOD28)
async def procedure_return_values(world: World) -> None:
    """A number, an option, a product with a sum, nothing."""
    names = world.bindings
    async with world.connect() as connection:
        call = connection.procedures
        equal(await call.add_numbers(1, -2), -1, "a number")
        equal(await call.add_diary_by_procedure("a", 1), "a", "an option")
        answer = await call.make_answer(["a", "bc"], names.ShapeCount(2))
        equal(answer, names.Answer(3, ["a", "bc"], names.ShapeCount(2)), "a product")
        equal(await call.give_nothing(), None, "nothing")


@case("procedure-observe-panic", module=MOD28)
async def procedure_observe_panic(world: World) -> None:
    async with world.connect() as connection:
        try:
            await connection.procedures.procedure_boom()
        except ProcedureError as error:
            equal(error.procedure, "procedure_boom", "the procedure that the error names")
        else:
            raise Failed("a procedure that breaks down was no error")
        equal(await connection.procedures.add_numbers(1, 2), 3, "the next call")


@case("insert-with-tx-commit", module=MOD28)
async def insert_with_tx_commit(world: World) -> None:
    """Rows that a procedure commits are there when its result is."""
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM diary")
        heard = listen(connection, "diary")
        await connection.procedures.add_diary_by_procedure("a", 1)
        equal(heard, [("insert", world.row("diary", "a", 1))], "callbacks")


def identity(number: int) -> Identity:
    return Identity(f"{number:064x}")


async def players_of_the_view(world: World, query: Any, view: str) -> None:
    """Others' rows come and go; only those of the view are told."""
    async with world.connect() as connection:
        await connection.subscribe(query(world))
        heard = listen(connection, view)
        insert = connection.reducers.insert_player
        rows = [world.row("player", n, identity(n), f"player {n}", n % 2) for n in range(4)]
        for row in rows:
            await insert(row.id, row.owner, row.name, row.level)
        await connection.reducers.delete_player(2)
        told = [("insert", rows[0]), ("insert", rows[2]), ("delete", rows[2])]
        equal(heard, told, "callbacks")


@case("view-anonymous-subscribe", module=NEWER)
async def view_anonymous_subscribe(world: World) -> None:
    await players_of_the_view(
        world, lambda _: "SELECT * FROM all_player WHERE level = 0", "all_player"
    )


@case("view-anonymous-subscribe-with-query-builder", module=NEWER)
async def view_anonymous_subscribe_with_query_builder(world: World) -> None:
    def query(world: World) -> Any:
        return world.bindings.query.all_player.where(lambda player: player.level == 0)

    await players_of_the_view(world, query, "all_player")


@case("view-non-anonymous-subscribe", module=NEWER)
async def view_non_anonymous_subscribe(world: World) -> None:
    """The view has the rows of who looks."""
    async with world.connect() as connection:
        me = connection.identity
        await connection.subscribe("SELECT * FROM my_player")
        heard = listen(connection, "my_player")
        await connection.reducers.insert_player(1, identity(1), "other", 0)
        await connection.reducers.insert_player(2, me, "mine", 0)
        await connection.reducers.delete_player(1)
        await connection.reducers.delete_player(2)
        row = world.row("player", 2, me, "mine", 0)
        equal(heard, [("insert", row), ("delete", row)], "callbacks")


async def summaries(world: World, query: Any) -> None:
    async with world.connect() as connection:
        await connection.subscribe(query)
        heard = listen(connection, "summaries")
        await connection.reducers.add_item(1, "a", 2, 1, None)
        await connection.reducers.add_item(2, "b", 1, 1, None)
        await connection.reducers.drop_item(1)
        row = world.bindings.ItemSummary("a", 1)
        equal(heard, [("insert", row), ("delete", row)], "callbacks")


@case("view-non-table-return", module=MOD28)
async def view_non_table_return(world: World) -> None:
    """Its rows are of a type that no table has."""
    await summaries(world, "SELECT * FROM summaries")


@case("view-non-table-query-builder-return", module=MOD28)
async def view_non_table_query_builder_return(world: World) -> None:
    await summaries(world, world.bindings.query.summaries.where(lambda row: row.level == 1))


@case("view-subscription-update", module=NEWER)
async def view_subscription_update(world: World) -> None:
    """A row that leaves the condition leaves the subscription, and comes back."""
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM all_player WHERE level = 0")
        heard = listen(connection, "all_player")
        low, high = (world.row("player", 1, identity(1), "a", level) for level in (0, 1))
        await connection.reducers.insert_player(1, identity(1), "a", 0)
        await connection.reducers.update_player(1, identity(1), "a", 1)
        await connection.reducers.update_player(1, identity(1), "a", 0)
        equal(heard, [("insert", low), ("delete", low), ("insert", low)], "callbacks")
        holds(high not in list(connection.db.all_player), "the row above is not in the view")


@case("view-disconnect-does-not-break-sender-updates", module=NEWER)
async def view_disconnect_does_not_break_sender_updates(world: World) -> None:
    """That one of two clients leaves changes nothing for the view of the other."""
    async with world.connect() as first:
        await first.subscribe("SELECT * FROM my_player")
        heard = listen(first, "my_player")
        async with world.connect() as second:
            await second.subscribe("SELECT * FROM my_player")
            await second.reducers.insert_player(2, second.identity, "second", 0)
            await first.reducers.insert_player(1, first.identity, "first", 0)
            equal([row.id for row in second.db.my_player], [2], "rows of the second")
        await first.reducers.delete_player(1)
        row = world.row("player", 1, first.identity, "first", 0)
        equal(heard, [("insert", row), ("delete", row)], "callbacks")


async def changed_in_a_view(world: World, view: str) -> None:
    """A view with a primary key has updates."""
    async with world.connect() as connection:
        me = connection.identity
        await connection.subscribe(f"SELECT * FROM {view}")
        heard = listen(connection, view)
        await connection.reducers.insert_player(1, me, "before", 0)
        await connection.reducers.update_player(1, me, "after", 0)
        old, new = (world.row("player", 1, me, name, 0) for name in ("before", "after"))
        equal(heard, [("insert", old), ("update", old, new)], "callbacks")
        equal(getattr(connection.db, view).id.find(1), new, "the row by its key")


@case("view-pk-on-update", module=NEWER)
async def view_pk_on_update(world: World) -> None:
    await changed_in_a_view(world, "all_player")


@case("sender-scoped-pk-view", module=NEWER)
async def sender_scoped_pk_view(world: World) -> None:
    """Two clients at once, each with updates of its own row only."""
    async with world.connect() as first, world.connect() as second:
        heard = []
        for connection in (first, second):
            await connection.subscribe("SELECT * FROM my_player")
            heard.append(listen(connection, "my_player"))
        for number, connection in ((1, first), (2, second)):
            await connection.reducers.insert_player(number, connection.identity, "before", 0)
            await connection.reducers.update_player(number, connection.identity, "after", 0)
        await until(lambda: len(heard[0]) == len(heard[1]) == 2)
        for number, told in ((1, heard[0]), (2, heard[1])):
            equal([kind for kind, *_ in told], ["insert", "update"], "callbacks")
            equal({row.id for _, *rows in told for row in rows}, {number}, "keys")


async def shelf(world: World, query: Any) -> None:
    """A table that the server calls `ShelfTable`, with a column that it calls `book_count`."""
    async with world.connect() as connection:
        await connection.subscribe(query)
        heard = listen(connection, "shelf")
        await connection.reducers.put_shelf(1, 2, 3, 4)
        await connection.reducers.put_shelf(2, 2, 4, 5)
        equal([(row.id, row.book_count) for _, row in heard], [(1, 4)], "rows that came")
        equal(connection.db.shelf.slot.find(3).id, 1, "the row by a unique column")


@case("insert-player", module=MOD28)
async def insert_player(world: World) -> None:
    """Names that the server settles, and columns with digits in their names."""
    async with world.connect() as connection:
        await connection.subscribe('SELECT * FROM "ShelfTable"', "SELECT * FROM scalars")
        await connection.reducers.put_shelf(1, 2, 3, 4)
        (row,) = connection.db.shelf
        equal((row.id, row.book_count), (1, 4), "columns")
        await connection.reducers.noop()
        fields = world.bindings.Scalars.__match_args__
        holds({"v_u_8", "v_i_128", "v_f_64"} <= set(fields), f"digits are words: {fields}")


@case("query-builder-filter", module=MOD28)
async def query_builder_filter(world: World) -> None:
    await shelf(world, world.bindings.query.shelf.where(lambda row: row.book_count == 4))


@case("view", module=MOD28)
async def view(world: World) -> None:
    """A view that the module defines by a query."""
    async with world.connect() as connection:
        await connection.subscribe("SELECT * FROM kind_three")
        heard = listen(connection, "kind_three")
        await connection.reducers.add_item(1, "a", 3, 0, None)
        await connection.reducers.add_item(2, "b", 2, 0, None)
        equal([row.id for _, row in heard], [1], "rows that came")
