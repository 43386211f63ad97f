// Many idle connections in one process: opening them, and the memory of each.
import { builderOf } from "./files.mjs";
import { check, Result, Stopwatch } from "./measure.mjs";
import { resident } from "./memory.mjs";
import { opened } from "./opening.mjs";
import { connect } from "./socket.mjs";

export async function run(run) {
  const { count } = run.options;
  const builder = builderOf(run);
  const watch = new Stopwatch();
  await opened(() => connect(run, builder), 1, new Stopwatch());
  const before = await resident();
  const connections = await opened(() => connect(run, builder), count, watch);
  const memory = ((await resident()) - before) / count;
  check(connections.every(({ isActive }) => isActive), "a connection was not made");
  return new Result({ rates: { rate: watch.rate() }, values: { memory }, checksum: count });
}
