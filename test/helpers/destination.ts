import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { closeAfter, listen } from "./sockets.js";

/** A server behind a proxy: it hands its connections to the test, in order. */
export interface Destination {
  readonly endpoint: Endpoint;
  /** How many connections it has accepted. */
  readonly acceptedCount: number;
  /** The next connection that nobody has taken yet. */
  accept(): Promise<Socket>;
}

/** Starts a destination on 127.0.0.1; half-open capable, closed after the test with all its connections. */
export async function startDestination(t: TestContext): Promise<Destination> {
  const server = createServer({ allowHalfOpen: true });
  const waiting: Socket[] = [];
  let acceptedCount = 0;
  server.on("connection", (socket) => {
    acceptedCount++;
    socket.on("error", ignore);
    closeAfter(t, socket);
    waiting.push(socket);
    server.emit("ready");
  });
  const { port } = await listen(t, server);
  return {
    endpoint: { host: "127.0.0.1", port },
    get acceptedCount() {
      return acceptedCount;
    },
    accept: async () => {
      for (;;) {
        const socket = waiting.shift();
        if (socket !== undefined) return socket;
        await once(server, "ready");
      }
    },
  };
}

function ignore(): void {
  // The close that follows is what counts.
}
