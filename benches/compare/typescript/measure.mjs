// What one process measures, and how it tells. The same as ../measure.py.
// Of CPU: on a busy machine the wall clock would end a run too early, before the code is compiled.
export const WARM_SECONDS = 0.4;
export const SECONDS = 0.6;
// Seconds between two looks at the clocks, which take as long as the shortest bodies.
const WINDOW = 0.001;

export class Result {
  constructor({ rates = {}, values = {}, checksum = 0 }) {
    Object.assign(this, { rates, values, checksum });
  }
}

export const now = () => performance.now() / 1000;

export const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Adds up work and the time it took, by the process's CPU and by the wall. */
export class Stopwatch {
  work = 0;
  cpu = 0;
  wall = 0;

  start() {
    this.wallStart = now();
    this.cpuStart = cpuSeconds();
  }

  stop(work) {
    this.cpu += cpuSeconds() - this.cpuStart;
    this.wall += now() - this.wallStart;
    this.work += work;
  }

  rate() {
    const { work, cpu, wall } = this;
    return { work, cpu, wall };
  }
}

export function check(condition, text) {
  if (!condition) throw new Error(text);
}

/** A body that does so much work each time, until it is warm and then for a while. */
export function repeat(run, work, body) {
  const checksum = body();
  const end = cpuSeconds() + run.warmSeconds;
  let bodies = 1;
  for (; cpuSeconds() < end; bodies++) body();
  const atOnce = Math.max(1, Math.floor((bodies * WINDOW) / WARM_SECONDS));
  const watch = new Stopwatch();
  while (watch.cpu < run.seconds || !watch.work) {
    let again;
    watch.start();
    for (let n = 0; n < atOnce; n++) again = body();
    watch.stop(work * atOnce);
    check(again === checksum, `the checksum ${checksum} has become ${again}`);
  }
  return new Result({ rates: { rate: watch.rate() }, checksum });
}

/** p50 and p99 of seconds, in microseconds. */
export function percentiles(seconds) {
  const ordered = Float64Array.from(seconds).sort();
  const at = (share) => ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))] * 1e6;
  return { p50: at(0.5), p99: at(0.99) };
}
