// Memory per cached row after a first subscription, and after a million random updates.
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

import { check, Result } from "./measure.mjs";
import { resident } from "./memory.mjs";
import { connected, subscribe } from "./memory_wire.mjs";

/** One after the other: a program does not hold what it has received. */
function* bodies(run, name) {
  const file = openSync(join(run.folder, name));
  const head = new Uint8Array(4);
  while (readSync(file, head, 0, 4, null) === 4) {
    const body = new Uint8Array(new DataView(head.buffer).getUint32(0, true));
    for (let at = 0; at < body.length; ) at += readSync(file, body, at, body.length - at, null);
    yield body;
  }
  closeSync(file);
}

export async function run(run) {
  const { rows, data, updates } = run.options;
  const { connection, wire } = await connected(run);
  const table = connection.db.message;
  await subscribe(connection, "SELECT * FROM message");
  const before = await resident();
  for (const body of bodies(run, data)) wire.feed(wire.applied(body));
  const bytes = ((await resident()) - before) / rows;
  check(Number(table.count()) === rows, "rows are missing");
  for (const body of bodies(run, updates)) wire.feed(wire.update(body));
  const after = ((await resident()) - before) / rows;
  let checksum = 0;
  for (const row of table.iter()) checksum += row.text.length;
  return new Result({ values: { bytes_per_row: bytes, after_updates: after, growth: after / Math.max(bytes, 1) }, checksum });
}
