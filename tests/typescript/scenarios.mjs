// Each takes `connect(token?)`, which gives { connection, identity, token }, and throws when something is not as it should be.
import assert from "node:assert/strict";
import { ScheduleAt, TimeDuration, Timestamp } from "spacetimedb";

const subscribe = (connection, ...queries) =>
  new Promise((resolve, reject) => {
    const handle = connection
      .subscriptionBuilder()
      .onApplied(() => resolve(handle))
      .onError((context) => reject(context.event ?? context))
      .subscribe(queries);
  });

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const pascal = (name) => camel(`_${name}`);

/** Call a reducer and wait for its end; a refusal is an error with the module's text. */
const call = (connection, name, args = {}) =>
  new Promise((resolve, reject) => {
    const heard = ({ event }) => {
      if (!event.callerConnectionId?.isEqual(connection.connectionId)) return;
      connection.reducers[`removeOn${pascal(name)}`](heard);
      const { tag, value } = event.status;
      tag === "Committed" ? resolve(event) : reject(new Error(value));
    };
    connection.reducers[`on${pascal(name)}`](heard);
    connection.reducers[camel(name)](args);
  });

function watch(table, show) {
  const seen = [];
  table.onInsert((_, row) => seen.push(`insert ${show(row)}`));
  table.onDelete?.((_, row) => seen.push(`delete ${show(row)}`));
  table.onUpdate?.((_, before, after) => seen.push(`update ${show(before)} to ${show(after)}`));
  return seen;
}

const item = (id, level, note) => ({ id: BigInt(id), code: `code-${id}`, kind: 3, level, note });
const only = (table) => {
  const rows = [...table.iter()];
  assert.equal(rows.length, 1);
  return rows[0];
};

const chat = {
  async chat_between_two(connect) {
    const [one, two] = await Promise.all([connect(), connect()]);
    for (const { connection } of [one, two]) await subscribe(connection, "SELECT * FROM user", "SELECT * FROM message");
    const heard = watch(two.connection.db.message, (row) => row.text);
    const names = watch(two.connection.db.user, (row) => `${row.name}`);
    await call(one.connection, "set_name", { name: "Ada 🦀" });
    const before = Date.now();
    const event = await call(one.connection, "send_message", { text: "hello" });
    await until(() => heard.length === 1);
    assert.deepEqual(heard, ["insert hello"]);
    assert.deepEqual(names, ["update undefined to Ada 🦀"]);
    const message = only(two.connection.db.message);
    assert(message.sender.isEqual(one.identity));
    assert(Math.abs(message.sent.toDate().getTime() - before) < 60_000);
    same(message.sent, event.timestamp);
    const user = two.connection.db.user.identity.find(one.identity);
    assert.equal(user.name, "Ada 🦀");
    assert.equal(user.online, true);
    assert.equal(two.connection.db.user.identity.find(two.identity).name, undefined);
    one.connection.disconnect();
    await until(() => !two.connection.db.user.identity.find(one.identity).online);
  },

  async chat_refuses(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM message");
    await assert.rejects(call(connection, "send_message", { text: "" }), { message: "a message must not be empty" });
    await assert.rejects(call(connection, "set_name", { name: "" }), { message: "a name must not be empty" });
    assert.equal(connection.db.message.count(), 0n);
  },
};

const allTypes = {
  async connects_with_its_token(connect) {
    const first = await connect();
    const again = await connect(first.token);
    assert(again.identity.isEqual(first.identity));
    assert(!(await connect()).identity.isEqual(first.identity));
    const { db } = first.connection;
    await subscribe(first.connection, "SELECT * FROM presence");
    assert(db.presence.conn.find(first.connection.connectionId).who.isEqual(first.identity));
    assert.equal(db.presence.count(), 3n);
  },

  async rows_are_updated_by_primary_key(connect) {
    const [own, watcher] = await Promise.all([connect(), connect()]);
    await subscribe(watcher.connection, "SELECT * FROM item WHERE level > 4");
    const seen = watch(watcher.connection.db.item, (row) => `${row.id}:${row.level}:${row.note}`);
    const { connection } = own;
    await call(connection, "add_item", item(1, 5, undefined));
    await call(connection, "set_item", { id: 1n, level: 6, note: "changed" });
    await call(connection, "replace_item", { id: 1n, level: 7 });
    await call(connection, "touch_item", { id: 1n });
    await call(connection, "set_item", { id: 1n, level: -1, note: undefined });
    await until(() => seen.length >= 4);
    assert.deepEqual(seen, [
      "insert 1:5:undefined",
      "update 1:5:undefined to 1:6:changed",
      "update 1:6:changed to 1:7:changed",
      "delete 1:7:changed",
    ]);
  },

  async rows_are_found(connect) {
    const { connection, identity } = await connect();
    await subscribe(connection, "SELECT * FROM item");
    for (const id of [1, 2, 3]) await call(connection, "add_item", item(id, id * 10, "n"));
    const { db } = connection;
    assert.equal(db.item.code.find("code-2").level, 20);
    assert.equal([...db.item.owner.filter(identity)].length, 3);
    same(db.item.id.find(3n), { ...item(3, 30, "n"), owner: identity });
    await call(connection, "drop_item", { id: 2n });
    assert.equal(db.item.id.find(2n) ?? undefined, undefined);
  },

  async refusals_and_rollbacks(connect) {
    const { connection } = await connect();
    const { db } = connection;
    await subscribe(connection, "SELECT * FROM diary", "SELECT * FROM item");
    await assert.rejects(call(connection, "fail", { message: "ünïcode 🦀" }), { message: "ünïcode 🦀" });
    await assert.rejects(call(connection, "fail", { message: "" }), { message: "" });
    await assert.rejects(call(connection, "insert_then_fail", { text: "gone" }), { message: "rolled back" });
    await assert.rejects(call(connection, "set_item", { id: 9n, level: 1, note: undefined }), { message: "no item 9" });
    await call(connection, "add_item", item(1, 1, undefined));
    await assert.rejects(call(connection, "add_item", item(1, 2, undefined)), /UniqueViolation|fatal error/);
    assert.equal(db.diary.count(), 0n);
    assert.equal(only(db.item).level, 1);
  },

  async a_trap_is_survived(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM diary");
    await assert.rejects(call(connection, "boom", { message: "bang" }), /fatal error/);
    await call(connection, "add_diary", { text: "alive", n: 1 });
    assert.deepEqual([...connection.db.diary.iter()], [{ text: "alive", n: 1 }]);
  },

  async every_scalar(connect) {
    const { connection, identity } = await connect();
    await subscribe(connection, "SELECT * FROM scalars");
    const row = {
      id: 7,
      v_bool: true,
      v_u8: 255,
      v_u16: 65_535,
      v_u32: 2 ** 32 - 1,
      v_u64: 2n ** 64n - 1n,
      v_u128: 2n ** 128n - 1n,
      v_u256: 2n ** 256n - 1n,
      v_i8: -128,
      v_i16: -32_768,
      v_i32: -(2 ** 31),
      v_i64: -(2n ** 63n),
      v_i128: -(2n ** 127n),
      v_i256: -(2n ** 255n),
      v_f32: 0.5,
      v_f64: -1e300,
      v_text: "ünïcode 🦀\0",
      v_bytes: new Uint8Array([0, 1, 255]),
      v_identity: identity,
      v_conn: connection.connectionId,
      v_time: new Timestamp(1_700_000_000_123_456n),
      v_span: new TimeDuration(-5n),
      v_when: ScheduleAt.interval(1_000_000n),
    };
    await call(connection, "put_scalars", { row });
    same(only(connection.db.scalars), row);
    const other = { ...row, v_when: ScheduleAt.time(1_700_000_000_123_456n), v_text: "", v_bytes: new Uint8Array() };
    await call(connection, "put_scalars", { row: other });
    same(only(connection.db.scalars), other);
  },

  async options_lists_and_sums(connect) {
    const { connection, identity } = await connect();
    await subscribe(connection, "SELECT * FROM containers");
    const shapes = [
      { tag: "Nothing" },
      { tag: "Count", value: 7 },
      { tag: "Text", value: "t" },
      { tag: "Spot", value: { x: -1, y: 2 } },
      { tag: "Path", value: [{ x: 1, y: 1 }, { x: 2, y: 2 }] },
      { tag: "Tint", value: { tag: "DarkBlue" } },
      { tag: "Blob", value: new Uint8Array([1, 2]) },
      { tag: "Maybe", value: -5n },
      { tag: "Maybe", value: undefined },
    ];
    const row = {
      id: 5n,
      o_num: -3,
      o_text: "",
      o_point: { x: 1, y: -1 },
      o_nested: true,
      o_identity: identity,
      l_num: [1n, -(2n ** 63n)],
      l_text: ["a", "ü"],
      l_point: [{ x: 1, y: 2 }],
      l_opt: [1, undefined, 3],
      l_list: [[], [1, 65_535]],
      l_color: [{ tag: "Red" }, { tag: "Green" }],
      l_shape: shapes,
      line: { from_point: { x: 0, y: 1 }, to_point: { x: 2, y: 3 }, label: "edge" },
      color: { tag: "DarkBlue" },
      shape: shapes[3],
      empty: {},
    };
    await call(connection, "put_containers", { row });
    same(only(connection.db.containers), row);
    const nothing = Object.fromEntries(Object.keys(row).filter((key) => key.startsWith("o_")).map((key) => [key, undefined]));
    const other = { ...row, ...nothing, l_shape: [], line: { ...row.line, label: undefined }, shape: shapes[0] };
    await call(connection, "put_containers", { row: other });
    same(only(connection.db.containers), other);
  },

  async numbers_of_a_sequence(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM tag");
    for (const label of ["a", "b"]) await call(connection, "add_tag", { item_id: 1n, label });
    const rows = [...connection.db.tag.iter()].sort((a, b) => a.id - b.id);
    assert.deepEqual(rows.map((row) => row.label), ["a", "b"]);
    assert(rows[0].id > 0 && rows[1].id > rows[0].id);
  },

  async a_scheduled_reducer(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM alarm", "SELECT * FROM ring_note");
    await call(connection, "set_alarm_in", { micros: 50_000n, text: "ring" });
    await until(() => connection.db.ringNote.count() === 1n);
    assert.equal(only(connection.db.ringNote).text, "ring");
    await until(() => connection.db.alarm.count() === 0n);
  },

  async a_thousand_rows_at_once(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM bulk WHERE id >= 500");
    await call(connection, "bulk_insert", { from: 0, count: 1_000, seed: 1n });
    assert.equal(connection.db.bulk.count(), 500n);
    assert.equal(connection.db.bulk.id.find(999).name, "row-999");
    await call(connection, "bulk_update", { from: 500, count: 10, delta: 2n });
    await call(connection, "bulk_delete", { from: 0, count: 990 });
    assert.equal(connection.db.bulk.count(), 10n);
  },
};

/** Equal but for classes, which the SDK has twice, and for the `value` of a variant that has none. */
function same(found, wanted) {
  const plain = (value) => {
    if (value instanceof Uint8Array) return value;
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== "object") return value;
    const entries = Object.entries(value).map(([key, one]) => [key, plain(one)]);
    return Object.fromEntries(entries.filter(([key, one]) => !("tag" in value && key === "value" && isNothing(one))));
  };
  const isNothing = (value) => value === undefined || (value?.constructor === Object && !Object.keys(value).length);
  assert.deepEqual(plain(found), plain(wanted));
}

export const scenarios = { ...chat, ...allTypes };
