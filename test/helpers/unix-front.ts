import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { closeAfter } from "./sockets.js";
import { createTempDir } from "./temp-dir.js";

/**
 * Listens on a Unix socket in a folder of its own, and passes everything on to a server; it is closed after the test.
 *
 * @returns the path of the socket.
 */
export async function startUnixFront(t: TestContext, target: Endpoint): Promise<string> {
  const path = createTempDir(t).join("front.sock");
  const server = createServer({ allowHalfOpen: true }, (outer) => {
    const inner = connect({ ...target, allowHalfOpen: true });
    closeAfter(t, outer, inner);
    for (const [from, to] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
    }
  });
  closeAfter(t, server);
  server.listen(path);
  await once(server, "listening");
  return path;
}
