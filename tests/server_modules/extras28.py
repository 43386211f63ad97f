"""What the recorded module for 2.x has beyond `all_types`: declared beside it."""

from __future__ import annotations

from spacetime_py.server import (
    AnonymousViewContext,
    Err,
    Indexed,
    Ok,
    PrimaryKey,
    ProcedureContext,
    Query,
    ReducerContext,
    Unique,
    Uuid,
    ViewContext,
    column,
    i32,
    i64,
    procedure,
    product,
    reducer,
    table,
    u8,
    u16,
    u32,
    u64,
    view,
)
from tests.modules.all_types_py.src.all_types.tables import Diary, Item, Profile
from tests.modules.all_types_py.src.all_types.types import Color, Point, Shape


@table(public=True, event=True)
class Spark:
    kind: u8
    text: str


@table(accessor="shelf", name="ShelfTable", public=True)
class Shelf:
    id: PrimaryKey[u32]
    lookup: Indexed[u64] = column(index="hash")
    slot: Unique[u32] = column(index="direct")
    bookCount: u16
    grade: u8 = column(default=7)


@table(public=True)
class More:
    """The columns that `scalars` and `containers` have there and not here."""

    v_uuid: Uuid
    r_num: Ok[i32] | Err[str]
    r_point: Ok[Point] | Err[Color]


@product
class ItemSummary:
    code: str
    level: i32


@product
class Answer:
    total: i64
    words: list[str]
    shape: Shape


@view
def my_items(ctx: ViewContext) -> list[Item]:
    return list(ctx.db[Item.owner].filter(ctx.sender))


@view
def my_profile(ctx: ViewContext) -> Profile | None:
    return ctx.db[Profile.who].find(ctx.sender)


@view
def kind_three(ctx: AnonymousViewContext) -> Query[Item]:
    return Query(Item, "SELECT * FROM item WHERE kind = 3")


@view
def summaries(ctx: AnonymousViewContext) -> list[ItemSummary]:
    return [
        ItemSummary(code=item.code, level=item.level)
        for item in ctx.db[Item.by_kind_and_level].filter((2,))
    ]


@view
def top_items(ctx: AnonymousViewContext) -> list[Item]:
    return list(ctx.db[Item.by_kind_and_level].range((1, 10), (1,), include_end=True))


@procedure
def add_numbers(ctx: ProcedureContext, a: i32, b: i32) -> i64:
    return a + b


@procedure
def make_answer(ctx: ProcedureContext, words: list[str], shape: Shape) -> Answer:
    return Answer(total=sum(map(len, words)), words=words, shape=shape)


@procedure
def count_items(ctx: ProcedureContext) -> u64:
    return ctx.with_tx(lambda tx: tx.db[Item].count())


@procedure
def add_diary_by_procedure(ctx: ProcedureContext, text: str, n: i32) -> str | None:
    ctx.with_tx(lambda tx: tx.db[Diary].insert(Diary(text=text, n=n)))
    return text


@procedure
def give_nothing(ctx: ProcedureContext) -> None:
    pass


@procedure
def procedure_boom(ctx: ProcedureContext) -> u32:
    raise RuntimeError("this procedure panics")


@reducer
def emit_spark(ctx: ReducerContext, kind: u8, text: str) -> None:
    ctx.db[Spark].insert(Spark(kind=kind, text=text))


@reducer
def emit_sparks(ctx: ReducerContext, count: u32) -> None:
    for n in range(count):
        ctx.db[Spark].insert(Spark(kind=n % 3, text=f"spark-{n}"))
    ctx.db[Diary].insert(Diary(text="sparks", n=count))


@reducer
def put_shelf(ctx: ReducerContext, id: u32, lookup: u64, slot: u32, books: u16) -> None:
    ctx.db[Shelf].insert(Shelf(id=id, lookup=lookup, slot=slot, bookCount=books, grade=7))
