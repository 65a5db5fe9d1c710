import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { App } from "../../src/app.js";
import { toConfig } from "../../src/config/to-config.js";
import type { Logger } from "../../src/log/logger.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { eventually } from "./eventually.js";
import { closeAfter } from "./sockets.js";

export interface TestAppOptions {
  /** Who may use it, each of them counted. Default: anyone. */
  readonly users?: readonly User[];
  /** The type of the outbound `out`, or its config, but for the tag. Default: `direct`. */
  readonly outbound?: "direct" | "block" | { readonly type: string; readonly [key: string]: unknown };
  /** Default: silent. */
  readonly logger?: Logger;
}

/** An app with one mixed inbound `in` and one outbound `out`, which are counted. */
export interface TestApp {
  readonly app: App;
  readonly proxy: Endpoint;
}

/** Starts it, without an API; it is cut after the test. */
export async function startTestApp(
  t: TestContext,
  { users = [], outbound = "direct", logger }: TestAppOptions = {},
): Promise<TestApp> {
  const names = users.map(({ username }) => username);
  const config = toConfig({
    inbounds: { type: "mixed", tag: "in", listen_port: 0, users },
    outbounds: { ...(typeof outbound === "string" ? { type: outbound } : outbound), tag: "out" },
    experimental: { v2ray_api: { stats: { enabled: true, inbounds: "in", outbounds: "out", users: names } } },
  });
  const createApiServer = () => assert.fail("there is no API");
  const app = new App(config, { createApiServer, ...(logger && { logger }) });
  closeAfter(t, app);
  const [inbound] = (await app.start()).inbounds;
  assert.ok(inbound !== undefined);
  return { app, proxy: inbound.address };
}

/** Bytes that passed, in both directions. */
export interface Moved {
  readonly up: number;
  readonly down: number;
}

/** The counters that exist, by name. */
export function countersOf({ app }: Pick<TestApp, "app">): Record<string, bigint> {
  return Object.fromEntries(
    [...app.store.query(() => true)].map(({ name, counter }) => [name, counter.value]),
  );
}

/** All counters that there are when a user's connections, or nobody's, moved that much. */
export function countersAfter(user: User | undefined, { up, down }: Moved): Record<string, bigint> {
  const subjects = [
    "inbound>>>in",
    "outbound>>>out",
    ...(user === undefined ? [] : [`user>>>${user.username}`]),
  ];
  return Object.fromEntries(
    subjects.flatMap((subject) => [
      [`${subject}>>>traffic>>>uplink`, BigInt(up)],
      [`${subject}>>>traffic>>>downlink`, BigInt(down)],
    ]),
  );
}

/**
 * Waits until all connections of the app have ended by themselves, and then for the counters to be those of a user's
 * connections, or nobody's, that moved so much.
 *
 * @param moved - Asked each time: the other end may still have a last word to hear.
 */
export async function assertMoved(app: TestApp, user: User | undefined, moved: () => Moved): Promise<void> {
  await app.app.stop(new AbortController().signal);
  await eventually(() => {
    assert.deepEqual(countersOf(app), countersAfter(user, moved()));
  });
}
