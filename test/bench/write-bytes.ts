import type { Socket } from "node:net";

const piece = Buffer.alloc(1024 * 1024, "load");

/** Writes so many bytes as fast as they are taken, and calls back when the last of them has been handed over. */
export function writeBytes(socket: Socket, bytes: number, onDone: () => void): void {
  let left = bytes;
  const writeOn = (): void => {
    if (left === 0) {
      onDone();
      return;
    }
    const next = left < piece.length ? piece.subarray(0, left) : piece;
    left -= next.length;
    socket.write(next, (error) => {
      if (!error) writeOn();
    });
  };
  writeOn();
}
