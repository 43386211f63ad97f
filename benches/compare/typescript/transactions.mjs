// Transactions of some rows each, beside 10,000 cached rows, with a callback that reads fields.
import { read } from "./files.mjs";
import { check, cpuSeconds, Result, Stopwatch } from "./measure.mjs";
import { connected, subscribe } from "./memory_wire.mjs";
import { CUTOFF, ME, readMessage } from "./reading.mjs";

export async function run(run) {
  const { size, data, there: thereFile, back: backFile } = run.options;
  let total = 0;
  const { connection, wire } = await connected(run);
  const table = connection.db.message;
  table.onInsert((_, row) => { total += readMessage(row); });
  table.onUpdate((_, before, after) => {
    total +=
      Number(after.id) +
      (after.sender.__identity__ === ME ? 1 : 0) +
      (after.sent.microsSinceUnixEpoch > CUTOFF ? 1 : 0);
    total += after.text.length - before.text.length;
  });
  await subscribe(connection, "SELECT * FROM message");
  wire.feed(wire.applied(read(run, data)[0]));
  const first = table.count();
  const [there, back] = [thereFile, backFile].map((file) => read(run, file).map((body) => wire.update(body)));

  const turn = (watch) => {
    total = 0;
    watch.start();
    wire.feedAll(there);
    watch.stop(size * there.length);
    for (const message of back) wire.feed(message);
    check(table.count() === first, "rows are missing");
    return total;
  };

  const checksum = turn(new Stopwatch());
  const end = cpuSeconds() + run.warmSeconds;
  while (cpuSeconds() < end) turn(new Stopwatch());
  const watch = new Stopwatch();
  while (watch.cpu < run.seconds || !watch.work) check(turn(watch) === checksum, "another checksum");
  return new Result({ rates: { rate: watch.rate() }, checksum });
}
