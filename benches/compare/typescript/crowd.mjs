// A chat with many connections in one process: opening, and calls with and without traffic.
import { bindings } from "./bindings.mjs";
import { now, percentiles, Result, Stopwatch } from "./measure.mjs";
import { opened } from "./opening.mjs";

const ROWS_PER_SECOND = 10_000;
const PATIENCE = 30;

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

const isFirst = (run) => run.options.sdk.startsWith("1.");

function connect(run, builder) {
  return new Promise((resolve, reject) => {
    const options = builder().withUri(run.options.uri);
    (isFirst(run) ? options.withModuleName("bench") : options.withDatabaseName("bench"))
      .onConnect((connection) => resolve(new Client(run, connection)))
      .onConnectError((_, error) => reject(error))
      .build();
  });
}

class Client {
  seen = 0;

  constructor(run, connection) {
    this.connection = connection;
    // A call gives a promise in 2.x; in 1.x its end is an event.
    this.call = isFirst(run) ? this.callByEvent : (name, args) => connection.reducers[name](args);
    this.waiting = {};
  }

  callByEvent(name, args) {
    const { reducers, connectionId } = this.connection;
    if (!(name in this.waiting)) {
      reducers[`on${name[0].toUpperCase()}${name.slice(1)}`](({ event }) => {
        if (event.callerConnectionId?.isEqual(connectionId)) this.waiting[name]();
      });
    }
    return new Promise((resolve) => {
      this.waiting[name] = resolve;
      reducers[name](args);
    });
  }

  async watch() {
    const { connection } = this;
    await new Promise((resolve, reject) => {
      connection
        .subscriptionBuilder()
        .onApplied(resolve)
        .onError((context) => reject(context.event ?? context))
        .subscribe(["SELECT * FROM message"]);
    });
    // The rows that are there already are told after it has been applied.
    await new Promise((resolve) => setImmediate(resolve));
    connection.db.message.onInsert(() => { this.seen += 1; });
  }
}

/** Of calls one after the other, each on the next connection. */
async function latencies(clients, until) {
  const found = [];
  while (now() < until || !found.length) {
    const start = now();
    await clients[found.length % clients.length].call("setName", { name: "Ada" });
    found.push(now() - start);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return found;
}

async function write(client, count, until) {
  let sent = 0;
  for (let due = now(); now() < until || !sent; ) {
    await client.call("sendMessage", { text: "hello, everybody" });
    sent += 1;
    due += count / ROWS_PER_SECOND;
    await pause(Math.max(0, due - now()));
  }
  return sent;
}

async function traffic(run, clients) {
  const count = clients.length;
  const seconds = run.isQuick ? 0.1 : 3;
  await Promise.all(clients.map((client) => client.watch()));
  const idle = percentiles(await latencies(clients, now() + seconds));
  const until = now() + seconds;
  const [sent, found] = await Promise.all([write(clients[0], count, until), latencies(clients, until)]);
  const patience = now() + PATIENCE;
  while (clients.some(({ seen }) => seen < sent) && now() < patience) await pause(0.01);
  const loaded = percentiles(found);
  const rows = clients.reduce((sum, { seen }) => sum + seen, 0);
  return {
    served: clients.filter(({ seen }) => seen === sent).length / count,
    rows_per_second: rows / (seconds + Math.max(0, now() - until)),
    idle_p50: idle.p50,
    idle_p99: idle.p99,
    loaded_p50: loaded.p50,
    loaded_p99: loaded.p99,
  };
}

export async function run(run) {
  const { uri, sdk, count } = run.options;
  const builder = await bindings(uri, "bench", sdk);
  const watch = new Stopwatch();
  const clients = await opened(() => connect(run, builder), count, watch);
  return new Result({ rates: { rate: watch.rate() }, values: await traffic(run, clients), checksum: count });
}
