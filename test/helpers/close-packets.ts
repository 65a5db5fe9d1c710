import type { TestContext } from "node:test";
import type { PacketConnection } from "../../src/net/packet-connection.js";
import { closeAfter } from "./sockets.js";

/** Closes a packet connection after the test. */
export function closePacketsAfter(t: TestContext, connection: PacketConnection): void {
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      connection.close();
      await connection.closed;
    },
  });
}
