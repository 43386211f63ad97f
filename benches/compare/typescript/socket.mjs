// Connections of the SDK over a socket, with default options.
import { builderOf } from "./files.mjs";

export function connect(run, builder = builderOf(run)) {
  return new Promise((resolve, reject) => {
    const connection = builder()
      .withUri(run.options.uri)
      .withDatabaseName("bench")
      .onConnect(() => resolve(connection))
      .onConnectError((_, error) => reject(error))
      .build();
  });
}

export const subscribed = (connection, ...queries) =>
  new Promise((resolve, reject) => {
    connection
      .subscriptionBuilder()
      .onApplied(resolve)
      .onError((context) => reject(context.event ?? context))
      .subscribe(queries);
  });
