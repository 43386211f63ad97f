// The data files that both sides read, and the bindings.
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { bindingsOf, Types } from "./bindings.mjs";

export const SDK_VERSION = "2.10.1";

/** Bodies, each behind its length in 4 bytes. */
export function read(run, name) {
  const data = readFileSync(join(run.folder, name));
  const bodies = [];
  for (let at = 0; at < data.length; ) {
    const size = data.readUInt32LE(at);
    bodies.push(new Uint8Array(data.buffer, data.byteOffset + at + 4, size));
    at += 4 + size;
  }
  return bodies;
}

const schema = (run) =>
  JSON.parse(readFileSync(join(run.folder, `${run.options.bindings ?? "bindings"}.json`), "utf8"));

/** The type of this name, as a generated file would have it. */
export function typeOf(run, name) {
  const types = new Types(schema(run));
  return types.named(types.refs.get(name));
}

/** A builder of connections. */
export const builderOf = (run) => bindingsOf(schema(run), SDK_VERSION);

/** Rows back to back behind their number. */
export function array(rows) {
  const size = rows.reduce((total, row) => total + row.length, 4);
  const data = new Uint8Array(size);
  new DataView(data.buffer).setUint32(0, rows.length, true);
  let at = 4;
  for (const row of rows) {
    data.set(row, at);
    at += row.length;
  }
  return data;
}

export const capital = (name) => name[0].toUpperCase() + name.slice(1);
