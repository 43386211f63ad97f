// The TypeScript side of one run, in a process of its own. Reads and writes what ../side.py does.
import { readFileSync } from "node:fs";

import { WebSocket as Undici } from "undici";

import { SECONDS, WARM_SECONDS } from "./measure.mjs";

// Node 20 has no WebSocket; this is the one that the SDK takes there.
globalThis.WebSocket ??= Undici;
console.info = console.log = console.debug = () => {};

const { scenario, options, folder, quick } = JSON.parse(readFileSync(0, "utf8"));
const { run } = await import(`./${scenario}.mjs`);
const seconds = quick ? 0 : SECONDS;
const warmSeconds = quick ? 0 : WARM_SECONDS;
const result = await run({ options, folder, isQuick: quick, seconds, warmSeconds });
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
