import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { App } from "../src/app.js";
import { toConfig } from "../src/config/to-config.js";
import type { Endpoint } from "../src/net/endpoint.js";
import { startDestination, type Destination } from "./helpers/destination.js";
import { openTunnel } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { failed } from "./helpers/timing.js";

const io = { timeout: 10_000 };

/** An app with an inbound of each type, all of which share its limits. */
async function startLimited(t: TestContext, limits: object) {
  const destination = await startDestination(t);
  const { host, port } = destination.endpoint;
  const config = toConfig({
    inbounds: [
      { type: "mixed", listen_port: 0 },
      { type: "http", listen_port: 0 },
      { type: "direct", listen_port: 0, network: "tcp", override_address: host, override_port: port },
    ],
    experimental: { limits },
  });
  const logger = new RecordingLogger();
  const app = new App(config, { createApiServer: () => assert.fail("there is no API"), logger });
  closeAfter(t, app);
  const { inbounds } = await app.start();
  const [mixed, http, direct] = inbounds.map(({ address }) => address);
  assert.ok(mixed !== undefined && http !== undefined && direct !== undefined);
  return { destination, mixed, http, direct, logger };
}

async function assertReset(t: TestContext, { host, port }: Endpoint): Promise<void> {
  const client = connect({ host, port });
  closeAfter(t, client);
  assert.equal((await failed(client)).code, "ECONNRESET");
}

/** Connects until it is let in: the place of a connection that has ended is free a moment after. */
async function connectWhenLetIn(
  t: TestContext,
  { host, port }: Endpoint,
  destination: Destination,
): Promise<void> {
  const letIn = destination.accept().then(() => true);
  let isLetIn = false;
  while (!isLetIn) {
    const client = connect({ host, port });
    closeAfter(t, client);
    isLetIn = await Promise.race([letIn, failed(client).then(() => false)]);
  }
}

describe("an app's limits", () => {
  const limitsOfTwo = [
    [{ connections: 2 }, "refusing connections beyond 2; experimental.limits.connections"],
    [
      { connections_per_source: 2 },
      "refusing connections beyond 2 of one source; experimental.limits.connections_per_source",
    ],
  ] as const;
  for (const [limits, message] of limitsOfTwo) {
    it(`hold over all inbounds together: ${JSON.stringify(limits)}`, io, async (t) => {
      const { destination, mixed, http, direct, logger } = await startLimited(t, limits);
      const options = { destination: destination.endpoint };
      const first = await openTunnel(t, { ...options, protocol: "socks5", proxy: mixed });
      await openTunnel(t, { ...options, protocol: "http", proxy: http });
      for (let count = 0; count < 2; count++) await destination.accept();
      for (const address of [mixed, http, direct]) await assertReset(t, address);
      assert.deepEqual(logger.messages("warn"), [message]);

      first.resetAndDestroy();
      await connectWhenLetIn(t, direct, destination);
      await assertReset(t, mixed);
    });
  }

  it("count the connection that a SOCKS5 association hangs on", io, async (t) => {
    const { mixed } = await startLimited(t, { connections_per_source: 1 });
    await associateSocks5(t, mixed);
    await assertReset(t, mixed);
  });
});
