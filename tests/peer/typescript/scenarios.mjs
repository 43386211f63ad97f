// Each takes `connect(token?)`, which gives { connection, identity, token }, and throws when something is not as it should be.
import assert from "node:assert/strict";

const ALL_ITEMS = "SELECT * FROM item";

const subscribe = (connection, ...queries) =>
  new Promise((resolve, reject) => {
    const handle = connection
      .subscriptionBuilder()
      .onApplied(() => resolve(handle))
      .onError((context) => reject(context.event ?? context))
      .subscribe(queries);
  });

const unsubscribe = (handle) => new Promise((resolve) => handle.unsubscribeThen(resolve));

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** Callbacks of a table in order, as text. */
function watch(table, show) {
  const seen = [];
  table.onInsert((_, row) => seen.push(`insert ${show(row)}`));
  table.onDelete?.((_, row) => seen.push(`delete ${show(row)}`));
  table.onUpdate?.((_, before, after) => seen.push(`update ${show(before)} to ${show(after)}`));
  return seen;
}

const item = (id, kind, level) => ({ id: BigInt(id), code: `code-${id}`, kind, level, note: undefined });
const ids = (table) => [...table.iter()].map((row) => Number(row.id)).sort((a, b) => a - b);
const showItem = (row) => `${row.id}:${row.level}`;

export const scenarios = {
  async connects_with_its_token(connect) {
    const first = await connect();
    const again = await connect(first.token);
    const other = await connect();
    assert(again.identity.isEqual(first.identity));
    assert(!other.identity.isEqual(first.identity));
    assert.match(first.identity.toHexString(), /^c200[0-9a-f]{60}$/);
    await assert.rejects(connect("nonsense"));
  },

  async own_calls_change_rows(connect) {
    const { connection, identity } = await connect();
    const { db, reducers } = connection;
    await subscribe(connection, ALL_ITEMS);
    const seen = watch(db.item, showItem);
    await reducers.addItem(item(1, 0, 5));
    await reducers.setItem({ id: 1n, level: 6, note: "changed" });
    const row = db.item.id.find(1n);
    assert.equal(row.note, "changed");
    assert(row.owner.isEqual(identity));
    await reducers.dropItem({ id: 1n });
    assert.deepEqual(seen, ["insert 1:5", "update 1:5 to 1:6", "delete 1:6"]);
    assert.equal(db.item.count(), 0n);
  },

  async others_see_them(connect) {
    const [watcher, caller] = await Promise.all([connect(), connect()]);
    await subscribe(watcher.connection, "SELECT * FROM item WHERE level > 10");
    const seen = watch(watcher.connection.db.item, showItem);
    const { reducers } = caller.connection;
    await reducers.addItem(item(1, 0, 5));
    for (const level of [11, 12, 3]) await reducers.setItem({ id: 1n, level, note: undefined });
    await until(() => seen.length >= 3);
    assert.deepEqual(seen, ["insert 1:11", "update 1:11 to 1:12", "delete 1:12"]);
  },

  async overlapping_subscriptions(connect) {
    const { connection } = await connect();
    const { db, reducers } = connection;
    for (const [id, kind, level] of [[1, 1, 5], [2, 1, 20], [3, 2, 20]]) await reducers.addItem(item(id, kind, level));
    const seen = watch(db.item, showItem);
    const all = await subscribe(connection, ALL_ITEMS);
    const some = await subscribe(connection, "SELECT * FROM item WHERE kind = 1", "SELECT * FROM item WHERE level > 10");
    assert.equal(seen.length, 3);
    await reducers.setItem({ id: 2n, level: 21, note: undefined });
    await unsubscribe(all);
    assert.deepEqual(ids(db.item), [1, 2, 3]);
    await reducers.dropItem({ id: 3n });
    await unsubscribe(some);
    assert.deepEqual(ids(db.item), []);
    assert.deepEqual(seen.slice(3, 5), ["update 2:20 to 2:21", "delete 3:20"]);
    assert.deepEqual(seen.slice(5).sort(), ["delete 1:5", "delete 2:21"]);
  },

  async unsubscribing_takes_rows_away(connect) {
    const { connection } = await connect();
    const { db, reducers } = connection;
    await reducers.bulkInsert({ from: 0, count: 5, seed: 0n });
    const handle = await subscribe(connection, "SELECT * FROM bulk WHERE id < 3");
    assert.deepEqual(ids(db.bulk), [0, 1, 2]);
    const seen = watch(db.bulk, (row) => row.name);
    await unsubscribe(handle);
    assert.deepEqual(seen.sort(), ["delete row-0", "delete row-1", "delete row-2"]);
    await reducers.bulkInsert({ from: 100, count: 5, seed: 0n });
    assert.equal(db.bulk.count(), 0n);
    await subscribe(connection, "SELECT * FROM bulk");
    assert.equal(db.bulk.count(), 10n);
  },

  async bad_subscriptions(connect) {
    const { connection } = await connect();
    for (const query of ["hello", "SELECT * FROM nothing", "SELECT * FROM item WHERE nope = 1", "SELECT * FROM secret"]) {
      await assert.rejects(subscribe(connection, query), query);
    }
    await subscribe(connection, "SELECT * FROM diary");
    await connection.reducers.addDiary({ text: "alive", n: 1 });
    assert.equal(connection.db.diary.count(), 1n);
  },

  async failing_reducers(connect) {
    const { connection } = await connect();
    const { reducers, db } = connection;
    await subscribe(connection, "SELECT * FROM diary");
    await assert.rejects(reducers.fail({ message: "ünïcode 🦀" }), { name: "SenderError", message: "ünïcode 🦀" });
    await assert.rejects(reducers.fail({ message: "" }), { name: "SenderError", message: "" });
    await assert.rejects(reducers.boom({ message: "bang" }), { name: "InternalError" });
    assert.equal(db.diary.count(), 0n);
  },

  async procedures(connect) {
    const { connection } = await connect();
    const { procedures, db } = connection;
    assert.equal(await procedures.addNumbers({ a: 2, b: -5 }), -3n);
    await subscribe(connection, "SELECT * FROM diary");
    assert.equal(await procedures.addDiaryByProcedure({ text: "by procedure", n: 7 }), "by procedure");
    assert.deepEqual([...db.diary.iter()], [{ text: "by procedure", n: 7 }]);
    await assert.rejects(procedures.procedureBoom({}));
  },

  async event_tables(connect) {
    const { connection } = await connect();
    const { db, reducers } = connection;
    const seen = watch(db.spark, (row) => row.text);
    await subscribe(connection, "SELECT * FROM spark WHERE kind = 1", "SELECT * FROM diary");
    await reducers.emitSparks({ count: 7 });
    assert.deepEqual(seen.sort(), ["insert spark-1", "insert spark-4"]);
    assert.equal(db.spark.count(), 0n);
    assert.equal(db.diary.count(), 1n);
  },

  async a_table_is_a_set(connect) {
    const { connection } = await connect();
    const { db, reducers } = connection;
    await subscribe(connection, "SELECT * FROM diary");
    const seen = watch(db.diary, (row) => `${row.text}${row.n}`);
    await reducers.addDiary({ text: "x", n: 1 });
    await reducers.addDiary({ text: "x", n: 1 });
    await reducers.dropDiary({ text: "x", n: 1 });
    assert.deepEqual(seen, ["insert x1", "delete x1"]);
  },

  async many_calls_in_flight(connect) {
    const [caller, watcher] = await Promise.all([connect(), connect()]);
    await subscribe(caller.connection, "SELECT * FROM diary");
    await subscribe(watcher.connection, "SELECT * FROM diary");
    const seen = watch(watcher.connection.db.diary, (row) => row.n);
    const numbers = [...Array(500).keys()];
    const { reducers } = caller.connection;
    const calls = numbers.map((n) => (n % 5 ? reducers.addDiary({ text: "t", n }) : reducers.fail({ message: `${n}` })));
    const results = await Promise.allSettled(calls);
    results.forEach((result, n) => assert.equal(result.reason?.message, n % 5 ? undefined : `${n}`));
    const kept = numbers.filter((n) => n % 5);
    await until(() => seen.length === kept.length);
    assert.deepEqual(seen, kept.map((n) => `insert ${n}`));
    assert.equal(caller.connection.db.diary.count(), BigInt(kept.length));
  },

  async large_transactions(connect) {
    const [caller, watcher] = await Promise.all([connect(), connect()]);
    const { db } = watcher.connection;
    await subscribe(watcher.connection, "SELECT * FROM bulk");
    const { reducers } = caller.connection;
    // One after the other: the SDK unpacks compressed messages side by side, so that a small one overtakes a large one.
    await reducers.bulkInsert({ from: 0, count: 10_000, seed: 1n });
    await until(() => db.bulk.count() === 10_000n);
    await reducers.bulkUpdate({ from: 0, count: 1_000, delta: 1n });
    await until(() => db.bulk.id.find(0).value === 2n);
    await reducers.bulkDelete({ from: 1_000, count: 9_000 });
    await until(() => db.bulk.count() === 1_000n);
    const late = await connect();
    await subscribe(late.connection, "SELECT * FROM bulk");
    assert.equal(late.connection.db.bulk.count(), 1_000n);
  },
};
