import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { App } from "../../src/app.js";
import { toConfig } from "../../src/config/to-config.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import type { Counter } from "../../src/stats/counter.js";
import { statDirections, statScopes, type StatDirection, type StatScope } from "../../src/stats/stat-name.js";
import { closeAfter } from "./sockets.js";

/** An app with one mixed inbound `in`, one outbound `out`, and all its users counted. */
export interface CountedApp {
  readonly app: App;
  readonly proxy: Endpoint;
  /** All counters that there can be, created or not yet. */
  readonly counters: readonly NamedCounter[];
  /** What counters of that scope and direction hold together, since they exist. */
  total(scope: StatScope, direction: StatDirection): number;
  /** What one user's counter holds, since it exists. */
  totalOf(user: User, direction: StatDirection): number;
}

/** A counter and what it is about. */
export interface NamedCounter {
  readonly scope: StatScope;
  readonly tag: string;
  readonly direction: StatDirection;
  readonly counter: Counter;
}

/** Starts it, without an API; it is cut after the test. */
export async function startCountedApp(t: TestContext, users: readonly User[]): Promise<CountedApp> {
  const names = users.map(({ username }) => username);
  const config = toConfig({
    inbounds: { type: "mixed", tag: "in", listen_port: 0, users },
    outbounds: { type: "direct", tag: "out" },
    experimental: { v2ray_api: { stats: { enabled: true, inbounds: "in", outbounds: "out", users: names } } },
  });
  const createApiServer = () => assert.fail("there is no API");
  const app = new App(config, { createApiServer });
  closeAfter(t, app);
  const [inbound] = (await app.start()).inbounds;
  assert.ok(inbound !== undefined);
  const tags = { inbound: ["in"], outbound: ["out"], user: names };
  const counters = statScopes.flatMap((scope) =>
    tags[scope].flatMap((tag) =>
      statDirections.map((direction) => {
        const counter = app.store.counter({ scope, tag, direction });
        return { scope, tag, direction, counter };
      }),
    ),
  );
  const sum = (wanted: (named: NamedCounter) => boolean) =>
    Number(counters.filter(wanted).reduce((total, { counter }) => total + counter.total, 0n));
  return {
    app,
    proxy: inbound.address,
    counters,
    total: (scope, direction) => sum((named) => named.scope === scope && named.direction === direction),
    totalOf: ({ username }, direction) =>
      sum((named) => named.scope === "user" && named.tag === username && named.direction === direction),
  };
}
