import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { App } from "../../src/app.js";
import { toConfig } from "../../src/config/to-config.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { RecordingLogger } from "./recording-logger.js";
import { closeAfter } from "./sockets.js";

export const alice: User = { username: "alice", password: "a" };
export const bob: User = { username: "bob", password: "b" };

const inbounds = [
  { type: "mixed", tag: "open", listen_port: 0 },
  { type: "mixed", tag: "login", listen_port: 0, users: [alice, bob] },
];
const outbounds = [
  { type: "direct", tag: "one" },
  { type: "direct", tag: "two" },
  { type: "block", tag: "no" },
];
const stats = {
  enabled: true,
  inbounds: ["open", "login"],
  outbounds: ["one", "two", "no"],
  users: ["alice", "bob"],
};

/** An app with the inbounds `open` and `login`, and the outbounds `one`, `two` and `no`, which blocks. */
export interface RoutedApp {
  readonly app: App;
  readonly logger: RecordingLogger;
  readonly proxyOf: (tag: string) => Endpoint;
}

/** Starts it, without an API; all is counted that there is, and it is cut after the test. */
export async function startRoutedApp(t: TestContext, config: object): Promise<RoutedApp> {
  const logger = new RecordingLogger();
  const app = new App(toConfig({ inbounds, outbounds, experimental: { v2ray_api: { stats } }, ...config }), {
    createApiServer: () => assert.fail("there is no API"),
    logger,
  });
  closeAfter(t, app);
  const addresses = await app.start();
  const proxyOf = (wanted: string): Endpoint =>
    addresses.inbounds.find(({ tag }) => tag === wanted)?.address ??
    assert.fail(`there is no inbound ${wanted}`);
  return { app, logger, proxyOf };
}
