// Typed objects to bytes: args makes the objects first, batch and each have them.
import { BinaryReader, BinaryWriter } from "spacetimedb";

import { array, capital, read, typeOf } from "./files.mjs";
import { maker, valuesOf } from "./making.mjs";
import { check, repeat } from "./measure.mjs";

export function run(run) {
  const { kind, mode, data, work } = run.options;
  const bytes = read(run, data);
  const type = typeOf(run, capital(kind));
  const rows = bytes.map((row) => type.deserialize(new BinaryReader(row)));
  const times = work ?? rows.length;
  // As the SDK does for reducers: one writer, and a view of its buffer for each call.
  const writer = new BinaryWriter(1024);
  const encode = (type, value) => {
    writer.clear();
    type.serialize(writer, value);
    return writer.getBuffer();
  };
  // For others than reducers: bytes that stay.
  const encodeAlone = (type, value) => encode(type, value).slice();
  const isSame = (one, other) => Buffer.compare(one, other) === 0;
  if (mode === "batch") {
    const batch = typeOf(run, `${capital(kind)}Batch`);
    check(isSame(encode(batch, { rows }), array(bytes)), "other bytes than were given");
    return repeat(run, times, () => encode(batch, { rows }).length);
  }
  if (mode === "each") {
    check(rows.every((row, place) => isSame(encodeAlone(type, row), bytes[place])), "other bytes than were given");
    return repeat(run, times, () => total(rows, (row) => encodeAlone(type, row).length));
  }
  const make = maker(kind);
  const values = rows.map((row) => valuesOf(kind, row));
  check(make(values).every((row, place) => isSame(encode(type, row), bytes[place])), "other bytes than were given");
  return repeat(run, times, () => total(make(values), (row) => encode(type, row).length));
}

function total(rows, size) {
  let bytes = 0;
  for (const row of rows) bytes += size(row);
  return bytes;
}
