import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { listen } from "./sockets.js";

/**
 * What a name of an attacker's is to a browser: it leads to one server first, and later to another one, on the same port (DNS
 * rebinding). The browser sees one origin all the time.
 */
export interface ReboundName {
  /** To which the name's connections go. */
  readonly port: number;
  /** Has the name lead to another port of this machine from now on; what is connected by then is not any more. */
  lead(port: number): void;
}

/** A name that leads to that port first. */
export async function startReboundName(t: TestContext, firstPort: number): Promise<ReboundName> {
  let target = firstPort;
  const sockets = new Set<Socket>();
  const add = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      sockets.delete(socket);
      other.destroy();
    });
    socket.pipe(other);
  };
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  const front = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    add(near, far);
    add(far, near);
  });
  t.after(cut);
  const { port } = await listen(t, front);
  return {
    port,
    lead: (next) => {
      target = next;
      cut();
    },
  };
}
