// The resident set of this process, after what is garbage has gone.
export async function resident() {
  for (let time = 0; time < 2; time++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return process.memoryUsage.rss();
}
