// node run.mjs URL DATABASE PROTOCOL COMPRESSION SCENARIO: one scenario of the official SDK against a server.
import { WebSocket as Undici } from "undici";

const [url, database, protocol, compression, scenario] = process.argv.slice(2);

// The SDK offers v3 and v2; only the one under test reaches the server.
globalThis.WebSocket = class extends Undici {
  constructor(address, offered) {
    super(address, offered.filter((name) => name === `${protocol}.bsatn.spacetimedb`));
  }
};

const { builder } = await import("./bindings.mjs");
const { scenarios } = await import("./scenarios.mjs");

const open = [];

function connect(token) {
  return new Promise((resolve, reject) => {
    builder()
      .withUri(url)
      .withDatabaseName(database)
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
