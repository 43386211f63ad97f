// A connection of the SDK without a network, by the builder's `withWSFn`: whole messages are handed over.
import { builderOf } from "./files.mjs";

const PROTOCOL = "v3.bsatn.spacetimedb";
const SUBSCRIBE = 0;
const CALL_REDUCER = 3;

/** Plays the server. */
export class Wire {
  protocol = PROTOCOL;
  readyState = 1;
  calls = 0;
  sent = 0;
  /** Request id and query set id of the last subscription. */
  subscribed = new Uint8Array(8);

  send(message) {
    this.sent += message.length;
    if (message[0] === SUBSCRIBE) this.subscribed = message.slice(1, 9);
    if (message[0] === CALL_REDUCER) this.calls += 1;
  }

  close() {}

  feed(message) {
    this.onmessage({ data: message });
  }

  feedAll(messages) {
    for (const message of messages) this.onmessage({ data: message });
  }

  /** The message that answers the last subscription. */
  applied(body) {
    return withIds(body, 1, this.subscribed);
  }

  /** A transaction in the last subscription. */
  update(body) {
    return withIds(body, 5, this.subscribed.subarray(4));
  }
}

function withIds(body, place, ids) {
  body.set(ids, place);
  return body;
}

function greeting() {
  const bytes = (count) => [...Array(count).keys()];
  return Uint8Array.from([0, ...bytes(32), ...bytes(16), 5, 0, 0, 0, ...Buffer.from("token")]);
}

/** Gives the connection and its wire. */
export function connected(run, builder = builderOf(run)) {
  const wire = new Wire();
  return new Promise((resolve, reject) => {
    builder()
      .withUri("http://localhost:3000")
      .withDatabaseName("bench")
      .withWSFn(async () => {
        setTimeout(() => {
          wire.onopen();
          wire.feed(greeting());
        });
        return wire;
      })
      .onConnect((connection) => resolve({ connection, wire }))
      .onConnectError((_, error) => reject(error))
      .build();
  });
}

/** Send a subscription; its answer is to be fed. In version 3 it goes out at the end of this turn. */
export async function subscribe(connection, ...queries) {
  connection.subscriptionBuilder().subscribe(queries);
  await new Promise((resolve) => setTimeout(resolve));
}
