import type { Duplex } from "node:stream";

/** Resolves when a connection has closed and has said so, now or before, however it ended. */
export async function closed(connection: Duplex): Promise<void> {
  return new Promise((resolve) => {
    // It calls itself closed a tick before it says so.
    if (connection.closed) process.nextTick(resolve);
    else connection.once("close", resolve);
  });
}
