import { once } from "node:events";
import { connect } from "node:net";
import { openSockets } from "../helpers/sockets.js";
import { closed, turns, withTimeout } from "../helpers/timing.js";

/** What a client does. */
export interface ClientPlan {
  readonly port: number;
  /** Sent one after the other, as far as possible each in a segment of its own. */
  readonly pieces: readonly Uint8Array[];
  /** What it does then: ends its side and listens on, or resets the connection. Default: ends. */
  readonly ending?: "end" | "reset";
}

/** How long it may take until a connection is over, in milliseconds; there is nothing in it to wait for. */
const overMs = 10_000;

/** Plays a client to the end of its connection; with all that it heard. Fails if the connection does not end. */
export async function playClient({ port, pieces, ending = "end" }: ClientPlan): Promise<Buffer> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
  const heard: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => heard.push(bytes));
  socket.on("error", () => socket.destroy());
  await once(socket, "connect");
  for (const piece of pieces) {
    if (socket.writable) socket.write(piece);
    await turns(2);
  }
  if (ending === "reset") socket.resetAndDestroy();
  else if (socket.writable) socket.end();
  try {
    await withTimeout(closed(socket), overMs, `end of the connection; heard ${heard.join("")}`);
  } finally {
    socket.destroy();
  }
  return Buffer.concat(heard);
}

/** Runs something, and fails if it leaves a socket open. */
export async function leavesNoSocket(run: () => Promise<void>): Promise<void> {
  const before = openSockets().length;
  await run();
  const lastTime = Date.now() + overMs;
  while (openSockets().length > before) {
    if (Date.now() > lastTime) throw new Error(`sockets left open: ${openSockets().join(", ")}`);
    await turns(1);
  }
}
