import type { Duplex } from "node:stream";

/** How long the other side may take to close after our last word, by default. */
const defaultLingerMs = 2_000;

/**
 * Says a last word and closes without losing it.
 *
 * Closing a socket that has unread bytes makes the kernel send a reset, which can overtake the last word. So what the
 * other side still sends is read and dropped until it closes too, for at most `lingerMs` (default 2 s).
 */
export function endWith(connection: Duplex, lastWord: Uint8Array | string, lingerMs = defaultLingerMs): void {
  if (connection.destroyed) return;
  const timer = setTimeout(() => {
    connection.destroy();
  }, lingerMs);
  connection.once("close", () => {
    clearTimeout(timer);
  });
  connection.resume();
  connection.end(lastWord);
}
