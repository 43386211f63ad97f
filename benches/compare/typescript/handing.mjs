// Reducer calls that nobody awaits, handed to a socket: an object made for each call.
import { BinaryReader } from "spacetimedb";

import { read, typeOf } from "./files.mjs";
import { Result, Stopwatch } from "./measure.mjs";
import { connect } from "./socket.mjs";

export async function run(run) {
  const type = typeOf(run, "Message");
  const values = read(run, run.options.data).map((row) => type.deserialize(new BinaryReader(row)));
  const bursts = run.isQuick ? 2 : 50;

  const turn = async (watch) => {
    const connection = await connect(run);
    const { reducers } = connection;
    watch.start();
    for (let burst = 0; burst < bursts; burst++) {
      for (const { id, sender, sent, text } of values) reducers.insertMessage({ row: { id, sender, sent, text } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    await reducers.say({ text: "end" });
    watch.stop(bursts * values.length);
    connection.disconnect();
  };

  await turn(new Stopwatch());
  const watch = new Stopwatch();
  while (watch.cpu < run.seconds || !watch.work) await turn(watch);
  return new Result({ rates: { rate: watch.rate() }, checksum: values.length });
}
