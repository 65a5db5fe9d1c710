import type { TestContext } from "node:test";
import { Server } from "proxy-chain";
import type { User } from "../../src/proxy/users.js";
import { closeAfter } from "./sockets.js";

/** What passed between a proxy-chain server and its clients, measured by it. */
export interface ProxyChainTraffic {
  /** Bytes from the clients. */
  readonly up: number;
  /** Bytes to the clients. */
  readonly down: number;
}

/** npm's proxy-chain, an HTTP proxy: a peer that is not ours, on either side of our proxy. */
export interface ProxyChain {
  readonly server: Server;
  readonly port: number;
  /** What passed over the connections that have closed. */
  readonly traffic: ProxyChainTraffic;
}

/**
 * Starts one, which leaves through `upstream`, a proxy's URL, or directly; closed after the test.
 *
 * @param user - Who may use it. Default: anyone.
 */
export async function startProxyChain(t: TestContext, upstream?: string, user?: User): Promise<ProxyChain> {
  const server = new Server({
    host: "127.0.0.1",
    port: 0,
    prepareRequestFunction: ({ username, password }) => ({
      upstreamProxyUrl: upstream ?? null,
      requestAuthentication: user !== undefined && (username !== user.username || password !== user.password),
    }),
  });
  closeAfter(t, { [Symbol.asyncDispose]: async () => server.close(true) });
  const traffic = { up: 0, down: 0 };
  server.on("connectionClosed", ({ stats }: { stats?: { srcRxBytes: number; srcTxBytes: number } }) => {
    traffic.up += stats?.srcRxBytes ?? 0;
    traffic.down += stats?.srcTxBytes ?? 0;
  });
  await server.listen();
  return { server, port: server.port, traffic };
}
