// Many connections in one process.
const AT_ONCE = 64;

/** So many of what `connect` gives; the watch measures the opening. */
export async function opened(connect, count, watch) {
  const connections = [];
  let left = count;
  const opener = async () => {
    while (left > 0) {
      left -= 1;
      connections.push(await connect());
    }
  };
  watch.start();
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, opener));
  watch.stop(count);
  return connections;
}
