// Transactions from a socket, one row each, to a callback that reads both rows.
import { check, cpuSeconds, Result, Stopwatch } from "./measure.mjs";
import { CUTOFF, ME } from "./reading.mjs";
import { connect, subscribed } from "./socket.mjs";

export async function run(run) {
  const expected = run.options.rows;
  const connection = await connect(run);
  await subscribed(connection, "SELECT * FROM message");
  let total = 0;
  let seen = 0;
  let finish;
  connection.db.message.onUpdate((_, before, after) => {
    total +=
      Number(after.id) +
      (after.sender.__identity__ === ME ? 1 : 0) +
      (after.sent.microsSinceUnixEpoch > CUTOFF ? 1 : 0);
    total += after.text.length - before.text.length + (before.sent.microsSinceUnixEpoch > CUTOFF ? 1 : 0);
    seen += 1;
    if (seen === expected) finish();
  });

  const turn = async (watch) => {
    total = seen = 0;
    const done = new Promise((resolve) => { finish = resolve; });
    watch.start();
    connection.reducers.say({ text: "go" });
    await done;
    watch.stop(expected);
    return total;
  };

  const checksum = await turn(new Stopwatch());
  const end = cpuSeconds() + run.warmSeconds;
  while (cpuSeconds() < end) await turn(new Stopwatch());
  const watch = new Stopwatch();
  while (watch.cpu < run.seconds || !watch.work) check((await turn(watch)) === checksum, "another checksum");
  return new Result({ rates: { rate: watch.rate() }, checksum });
}
