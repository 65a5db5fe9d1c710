import type { Socket } from "node:net";

/**
 * How the other side finished: with an `end`, or with a `reset`. Begin to wait before it finishes, and read the bytes.
 *
 * Node 20 and 22 take a reset that comes right behind data for an end; writing then fails, even of nothing.
 */
export async function endingOf(socket: Socket): Promise<"end" | "reset" | "closed"> {
  return new Promise((resolve) => {
    socket.on("error", () => {
      resolve("reset");
    });
    socket.on("end", () => {
      if (!socket.writable) resolve("end");
      else socket.write(Buffer.alloc(0), (error) => setImmediate(resolve, error ? "reset" : "end"));
    });
    socket.on("close", () => {
      resolve("closed");
    });
  });
}
