// Reducer calls that are awaited, against the live peer: one at a time, or many at once.
import { cpuSeconds, now, percentiles, Result, Stopwatch } from "./measure.mjs";
import { connect } from "./socket.mjs";

export async function run(run) {
  const inFlight = run.options.in_flight;
  const share = run.isQuick ? 1 : Math.max(10, Math.floor(2000 / inFlight));
  const { reducers } = await connect(run);
  let latencies = [];

  const caller = async () => {
    for (let call = 0; call < share; call++) {
      const start = now();
      await reducers.say({ text: "hello, everybody" });
      latencies.push(now() - start);
    }
  };
  const turn = async (watch) => {
    watch.start();
    await Promise.all(Array.from({ length: inFlight }, caller));
    watch.stop(share * inFlight);
  };

  const end = cpuSeconds() + run.warmSeconds;
  await turn(new Stopwatch());
  while (cpuSeconds() < end) await turn(new Stopwatch());
  latencies = [];
  const watch = new Stopwatch();
  while (watch.cpu < run.seconds * 2 || !watch.work) await turn(watch);
  return new Result({ rates: { rate: watch.rate() }, values: percentiles(latencies) });
}
