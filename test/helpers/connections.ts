import type { Duplex } from "node:stream";
import type { TestContext } from "node:test";
import { createPipe } from "../../src/net/pipe.js";
import { socketPair, tlsPair } from "./sockets.js";

/** A connection of ours and the peer's end of it. */
export interface Connection {
  readonly ours: Duplex;
  readonly peer: Duplex;
}

/** Every kind of connection that must behave alike, by name: for tests that run over all of them. */
export const connectionKinds: readonly (readonly [string, (t: TestContext) => Promise<Connection>])[] = [
  [
    "net.Socket",
    async (t) => {
      const { client, server } = await socketPair(t);
      return { ours: server, peer: client };
    },
  ],
  [
    "TLSSocket",
    async (t) => {
      const { client, server } = await tlsPair(t);
      return { ours: server, peer: client };
    },
  ],
  [
    "Duplex",
    async () => {
      const [ours, peer] = createPipe();
      return Promise.resolve({ ours, peer });
    },
  ],
];
