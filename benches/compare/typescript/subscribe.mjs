// The answer to a first subscription, into the cache; with a callback that reads four fields.
import { builderOf, read } from "./files.mjs";
import { check, Result, Stopwatch } from "./measure.mjs";
import { connected, subscribe } from "./memory_wire.mjs";
import { readMessage } from "./reading.mjs";

const ROWS_AT_ONCE = 100_000;

async function subscribeAll(run, builder, body, times, watch) {
  const { rows, callback } = run.options;
  let total = 0;
  const fed = [];
  for (let time = 0; time < times; time++) {
    const { connection, wire } = await connected(run, builder);
    if (callback) connection.db.message.onInsert((_, row) => { total += readMessage(row); });
    await subscribe(connection, "SELECT * FROM message");
    fed.push({ connection, wire, message: wire.applied(body) });
  }
  watch.start();
  for (const { wire, message } of fed) wire.feed(message);
  watch.stop(rows * times);
  check(fed.every(({ connection }) => Number(connection.db.message.count()) === rows), "rows are missing");
  return callback ? total / times : rows;
}

export async function run(run) {
  const { rows, data } = run.options;
  const [body] = read(run, data);
  const builder = builderOf(run);
  const times = run.isQuick ? 1 : Math.max(1, Math.floor(ROWS_AT_ONCE / rows));
  if (rows <= ROWS_AT_ONCE && !run.isQuick) await subscribeAll(run, builder, body, times, new Stopwatch());
  const watch = new Stopwatch();
  const checksum = await subscribeAll(run, builder, body, times, watch);
  while (watch.cpu < run.seconds) {
    check((await subscribeAll(run, builder, body, times, watch)) === checksum, "another checksum");
  }
  return new Result({ rates: { rate: watch.rate() }, checksum });
}
