import { once } from "node:events";
import { connect } from "node:net";
import { openSockets } from "../helpers/sockets.js";
import { closed, turns, withTimeout } from "../helpers/timing.js";

/** What a client does. */
export interface ClientPlan {
  readonly port: number;
  /** Sent one after the other, as far as possible each in a segment of its own. */
  readonly pieces: readonly Uint8Array[];
  /**
   * What it does then: ends its side and listens on, at once or when an answer has had the time to come, or resets the
   * connection. Default: ends at once.
   */
  readonly ending?: "end" | "late-end" | "reset";
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
  // Both ends are in this process: what the server can do without waiting for anything is done by then.
  if (ending === "late-end") await turns(40);
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
  await leavesNone(openSockets, run);
}

/** Runs something, and fails if it leaves anything behind that would keep a process alive: sockets, timers, jobs. */
export async function leavesNothing(run: () => Promise<void>): Promise<void> {
  await leavesNone(() => process.getActiveResourcesInfo().filter((name) => name !== "Immediate"), run);
}

async function leavesNone(list: () => readonly string[], run: () => Promise<void>): Promise<void> {
  const before = list().length;
  await run();
  const lastTime = Date.now() + overMs;
  while (list().length > before) {
    if (Date.now() > lastTime) throw new Error(`left behind: ${list().join(", ")}`);
    await turns(1);
  }
}
