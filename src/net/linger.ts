import type { Socket } from "node:net";

/** How long the other side may take to close after our last word, by default. */
const defaultLingerMs = 2_000;

/**
 * Says a last word and closes without losing it.
 *
 * Closing a socket that has unread bytes makes the kernel send a reset, which can overtake the last word. So what the
 * other side still sends is read and dropped until it closes too, for at most `lingerMs` (default 2 s).
 */
export function endWith(socket: Socket, lastWord: Uint8Array | string, lingerMs = defaultLingerMs): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => {
    socket.destroy();
  }, lingerMs);
  socket.once("close", () => {
    clearTimeout(timer);
  });
  socket.resume();
  socket.end(lastWord);
}
