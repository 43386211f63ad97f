// node run.mjs URL DATABASE SCENARIO: one scenario of the official SDK against a database.
import { WebSocket } from "undici";

globalThis.WebSocket = WebSocket;

const { bindings } = await import("./bindings.mjs");
const { scenarios } = await import("./scenarios.mjs");

const [url, database, scenario] = process.argv.slice(2);
const builder = await bindings(url, database);

const connect = (token) =>
  new Promise((resolve, reject) => {
    builder()
      .withToken(token)
      .onConnect((connection, identity, token) => resolve({ connection, identity, token }))
      .onConnectError((_, error) => reject(error))
      .build();
  });

setTimeout(() => {
  console.error(`${scenario} hangs`);
  process.exit(1);
}, 30_000);
await scenarios[scenario](connect);
console.log("passed");
process.exit(0);
