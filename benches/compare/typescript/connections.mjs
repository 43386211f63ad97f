// Many connections in one process: opening, memory of each, and traffic to all of them.
import { builderOf } from "./files.mjs";
import { check, now, percentiles, Result, Stopwatch } from "./measure.mjs";
import { resident } from "./memory.mjs";
import { connect, subscribed } from "./socket.mjs";

const AT_ONCE = 64;
const GROUPS = 10;
const UPDATES_PER_SECOND = 10_000;

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function opened(run, builder, count, watch) {
  const connections = [];
  let left = count;
  const opener = async () => {
    while (left > 0) {
      left -= 1;
      connections.push(await connect(run, builder));
    }
  };
  watch.start();
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, opener));
  watch.stop(count);
  return connections;
}

/** Of calls one after the other, each on the next connection. */
async function latencies(connections, until) {
  const found = [];
  while (now() < until || !found.length) {
    const start = now();
    await connections[found.length % connections.length].reducers.say({ text: "hello" });
    found.push(now() - start);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}

/** Change one row after the other; gives the changes of each row. */
async function write(connection, count, until) {
  const changes = Array(GROUPS).fill(0);
  const step = count / GROUPS / UPDATES_PER_SECOND;
  let due = now();
  for (let turn = 0; now() < until || turn < GROUPS; turn++) {
    const first = BigInt((turn % GROUPS) + 1);
    await connection.reducers.rewriteMessage({ first, count: 1, seed: process.hrtime.bigint() });
    changes[turn % GROUPS] += 1;
    due += step;
    await pause(Math.max(0, due - now()));
  }
  return changes;
}

async function traffic(run, connections) {
  const count = connections.length;
  const seconds = run.isQuick ? 0.1 : 3;
  const [writer] = connections;
  await subscribed(writer, "SELECT * FROM message WHERE id = 1");
  if (writer.db.message.count() === 0n) await writer.reducers.fillMessage({ count: GROUPS });
  const seen = Array(count).fill(0);
  const watchers = connections.map((connection, place) => {
    connection.db.message.onUpdate(() => { seen[place] += 1; });
    return place && subscribed(connection, `SELECT * FROM message WHERE id = ${(place % GROUPS) + 1}`);
  });
  await Promise.all(watchers);
  const idle = percentiles(await latencies(connections, now() + seconds));
  const until = now() + seconds;
  const [changes, found] = await Promise.all([write(writer, count, until), latencies(connections, until)]);
  const isServed = (place) => seen[place] === changes[place % GROUPS];
  const places = [...seen.keys()];
  const patience = now() + 30;
  while (!places.every(isServed) && now() < patience) await pause(0.01);
  const loaded = percentiles(found);
  return {
    served: places.filter(isServed).length / count,
    updates_per_second: seen.reduce((sum, one) => sum + one) / seconds,
    idle_p50: idle.p50,
    idle_p99: idle.p99,
    loaded_p50: loaded.p50,
    loaded_p99: loaded.p99,
  };
}

export async function run(run) {
  const { count, traffic: withTraffic } = run.options;
  const builder = builderOf(run);
  const watch = new Stopwatch();
  await opened(run, builder, 1, new Stopwatch());
  const before = await resident();
  const connections = await opened(run, builder, count, watch);
  check(connections.length === count, "a connection was not made");
  const memory = ((await resident()) - before) / count;
  const values = withTraffic ? await traffic(run, connections) : {};
  return new Result({ rates: { rate: watch.rate() }, values: { ...values, memory }, checksum: count });
}
