// Each takes `connect(token?)`, which gives { connection, identity, token }, and throws when something is not as it should be.
import assert from "node:assert/strict";

const subscribe = (connection, ...queries) =>
  new Promise((resolve, reject) => {
    connection
      .subscriptionBuilder()
      .onApplied(resolve)
      .onError((context) => reject(context.event ?? context))
      .subscribe(queries);
  });

const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};

/** Calls a reducer and gives the status that the server tells of it. */
const call = (connection, name, params) =>
  new Promise((resolve) => {
    const event = `on${name[0].toUpperCase()}${name.slice(1)}`;
    const heard = (context) => {
      if (!context.event.callerConnectionId?.isEqual(connection.connectionId)) return;
      connection.reducers[`removeO${event.slice(1)}`](heard);
      resolve(context.event.status);
    };
    connection.reducers[event](heard);
    connection.reducers[name](params);
  });

export const scenarios = {
  async chat_two_clients_hear_each_other(connect) {
    const [ann, bob] = [await connect(), await connect()];
    const heard = [];
    bob.connection.db.message.onInsert((_, row) => heard.push(row));
    for (const { connection } of [ann, bob]) await subscribe(connection, "SELECT * FROM user", "SELECT * FROM message");
    assert.equal((await call(ann.connection, "sendMessage", { text: "hello" })).tag, "Committed");
    await until(() => heard.length);
    assert.equal(heard[0].text, "hello");
    assert(heard[0].sender.isEqual(ann.identity));
    assert(Math.abs(heard[0].sent.toDate() - Date.now()) < 60_000);
  },

  async chat_names_are_updates_by_primary_key(connect) {
    const [ann, bob] = [await connect(), await connect()];
    await subscribe(bob.connection, "SELECT * FROM user");
    const changes = [];
    bob.connection.db.user.onUpdate((_, before, after) => changes.push([before.name, after.name]));
    await call(ann.connection, "setName", { name: "Ann" });
    await call(ann.connection, "setName", { name: "Anna" });
    await until(() => changes.length === 2);
    assert.deepEqual(changes, [[undefined, "Ann"], ["Ann", "Anna"]]);
    const row = [...bob.connection.db.user.iter()].find((user) => user.identity.isEqual(ann.identity));
    assert.deepEqual([row.name, row.online], ["Anna", true]);
  },

  async chat_refusals_come_in_the_modules_words(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM message");
    const status = await call(connection, "sendMessage", { text: "" });
    assert.deepEqual([status.tag, status.value], ["Failed", "a message must not be empty"]);
    assert.equal((await call(connection, "sendMessage", { text: "fine" })).tag, "Committed");
    assert.deepEqual([...connection.db.message.iter()].map((row) => row.text), ["fine"]);
  },

  async all_types_failed_calls_leave_nothing(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM diary");
    const status = await call(connection, "insertThenFail", { text: "gone" });
    assert.deepEqual([status.tag, status.value], ["Failed", "rolled back"]);
    assert.equal((await call(connection, "boom", { message: "bang" })).tag, "Failed");
    assert.equal((await call(connection, "addDiary", { text: "kept", n: -1 })).tag, "Committed");
    assert.deepEqual([...connection.db.diary.iter()], [{ text: "kept", n: -1 }]);
  },

  async all_types_rows_change_and_go(connect) {
    const { connection, identity } = await connect();
    const seen = [];
    const { item } = connection.db;
    item.onInsert((_, row) => seen.push(`insert ${row.level}`));
    item.onUpdate((_, before, after) => seen.push(`update ${before.level} to ${after.level}`));
    item.onDelete((_, row) => seen.push(`delete ${row.level}`));
    await subscribe(connection, "SELECT * FROM item");
    await call(connection, "addItem", { id: 1n, code: "one", kind: 2, level: 3, note: undefined });
    await call(connection, "setItem", { id: 1n, level: 4, note: "changed" });
    const [row] = [...item.iter()];
    assert.deepEqual([row.id, row.code, row.kind, row.level, row.note], [1n, "one", 2, 4, "changed"]);
    assert(row.owner.isEqual(identity));
    await call(connection, "dropItem", { id: 1n });
    assert.deepEqual(seen, ["insert 3", "update 3 to 4", "delete 4"]);
  },

  async all_types_values_arrive_as_they_were(connect) {
    const { connection } = await connect();
    await subscribe(connection, "SELECT * FROM containers");
    const point = { x: -1, y: 2 };
    const line = { from_point: point, to_point: { x: 3, y: 4 }, label: "a line" };
    const color = { tag: "DarkBlue", value: {} };
    const shape = { tag: "Path", value: [point] };
    await call(connection, "setUserTypes", { id: 7n, line, color, shape, empty: {} });
    const numbers = { l_num: [1n, -(2n ** 63n)], l_text: ["ä", ""], l_point: [point], l_opt: [undefined, 255] };
    await call(connection, "setLists", { id: 7n, ...numbers, l_list: [[1, 2], []], l_color: [color], l_shape: [shape] });
    const [row] = [...connection.db.containers.iter()];
    assert.deepEqual(row.line, line);
    assert.equal(row.color.tag, "DarkBlue");
    assert.deepEqual([row.shape.tag, row.shape.value], ["Path", [point]]);
    assert.deepEqual([row.l_num, row.l_text, row.l_opt, row.l_list], [numbers.l_num, numbers.l_text, [undefined, 255], [[1, 2], []]]);
    assert.equal(row.o_num, undefined);
  },
};
