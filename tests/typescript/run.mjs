// node run.mjs URL DATABASE COMPRESSION SCENARIO: one scenario of the official SDK, over protocol v1.
import { WebSocket } from "undici";

globalThis.WebSocket = WebSocket;
const [url, database, compression, scenario] = process.argv.slice(2);
const { bindings } = await import("./bindings.mjs");
const { scenarios } = await import("./scenarios.mjs");

const builder = await bindings(url, database);
const open = [];

function connect(token) {
  return new Promise((resolve, reject) => {
    builder()
      .withUri(url)
      .withModuleName(database)
      .withCompression(compression)
      .withToken(token)
      .onConnect((connection, identity, token) => {
        open.push(connection);
        resolve({ connection, identity, token });
      })
      .onConnectError((_, error) => reject(error))
      .build();
  });
}

const deadline = setTimeout(() => {
  console.error(`${scenario} hangs`);
  process.exit(1);
}, 30_000);
await scenarios[scenario](connect);
open.forEach((connection) => connection.disconnect());
clearTimeout(deadline);
console.log("passed");
process.exit(0);
