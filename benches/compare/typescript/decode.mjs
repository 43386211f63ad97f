// Rows out of bytes: a batch as one value with all rows, or each row alone.
import { BinaryReader } from "spacetimedb";

import { array, capital, read, typeOf } from "./files.mjs";
import { repeat } from "./measure.mjs";
import { reader } from "./reading.mjs";

export function run(run) {
  const { kind, fields, mode, data, work } = run.options;
  const rows = read(run, data);
  const check = reader(kind, fields);
  if (mode === "each") {
    const type = typeOf(run, capital(kind));
    return repeat(run, rows.length, () => check(rows.map((row) => type.deserialize(new BinaryReader(row)))));
  }
  const batch = typeOf(run, `${capital(kind)}Batch`);
  const bytes = array(rows);
  return repeat(run, work ?? rows.length, () => check(batch.deserialize(new BinaryReader(bytes)).rows));
}
