import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { Resolver, type ResolverOptions } from "../../src/net/resolver.js";
import { defaultClientTimes } from "../../src/proxy/client-times.js";
import { DirectOutbound, type DirectOutboundOptions } from "../../src/proxy/direct/direct-outbound.js";
import { ProxyInbound } from "../../src/proxy/proxy-inbound.js";
import { Router } from "../../src/proxy/router.js";
import { Routes } from "../../src/proxy/routes.js";
import { Rule } from "../../src/proxy/rules/rule.js";
import type { User } from "../../src/proxy/users.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import type { StatScope } from "../../src/stats/stat-name.js";
import { ConnectionTable } from "../../src/track/connection-table.js";
import { StatsTracker } from "../../src/track/stats-tracker.js";
import type { RawOrigin } from "./raw-origin.js";
import { RecordingLogger } from "./recording-logger.js";
import { closeAfter } from "./sockets.js";
import { turns } from "./timing.js";

export interface CountedProxyOptions
  extends Omit<DirectOutboundOptions, "tag" | "resolver">, ResolverOptions {
  /** Default: none, anyone may use it. */
  readonly users?: readonly User[];
  /** Names of the users whose connections a rule blocks. Default: none. */
  readonly blocked?: readonly string[];
  readonly handshakeTimeoutMs?: number;
}

/** Bytes in both directions. */
export interface Moved {
  readonly up: number;
  readonly down: number;
}

/** One HTTP inbound `in`, one direct outbound `out`, and everything counted. */
export interface CountedProxy {
  readonly inbound: ProxyInbound;
  readonly endpoint: Endpoint;
  readonly store: CounterStore;
  readonly logger: RecordingLogger;
  readonly connections: ConnectionTable;
  /** What the counters of a scope hold together, or that of one tag. */
  moved(scope: StatScope, tag?: string): Moved;
  /** Waits until every scope has counted what these origins' sockets received and sent; fails after 5 s. */
  assertCounted(...origins: readonly RawOrigin[]): Promise<void>;
}

/** Starts it on 127.0.0.1; it is cut after the test. */
export async function startCountedProxy(
  t: TestContext,
  { users = [], blocked = [], handshakeTimeoutMs = 9_000, lookup, ...dialOptions }: CountedProxyOptions = {},
): Promise<CountedProxy> {
  const store = new CounterStore();
  const logger = new RecordingLogger();
  const names = users.map(({ username }) => username);
  const connections = new ConnectionTable();
  const router = new Router({
    connections,
    routes: new Routes({
      rules: blocked.map((name) => new Rule({ users: [name], outbound: { tag: "block", blocks: true } })),
      final: new DirectOutbound({
        ...{ tag: "out", ...dialOptions },
        resolver: new Resolver(lookup === undefined ? {} : { lookup }),
      }),
    }),
    tracker: new StatsTracker(store, { inbounds: ["in"], outbounds: ["out", "block"], users: names }),
    logger,
  });
  const inbound = new ProxyInbound({
    tag: "in",
    type: "http",
    listen: { host: "127.0.0.1", port: 0 },
    users,
    times: { ...defaultClientTimes, handshakeMs: handshakeTimeoutMs },
    onRequest: async (request) => router.route(request),
    logger,
  });
  closeAfter(t, inbound);
  const endpoint = await inbound.start();
  const moved = (scope: StatScope, tag?: string): Moved => {
    const counters = Array.from(
      store.query((name) => name.startsWith(tag === undefined ? `${scope}>>>` : `${scope}>>>${tag}>>>`)),
    );
    const sum = (direction: string) =>
      counters
        .filter(({ name }) => name.endsWith(direction))
        .reduce((bytes, { counter }) => bytes + Number(counter.total), 0);
    return { up: sum("uplink"), down: sum("downlink") };
  };
  return {
    inbound,
    endpoint,
    store,
    logger,
    connections,
    moved,
    assertCounted: async (...origins) => {
      const scopes: readonly StatScope[] =
        users.length > 0 ? ["inbound", "outbound", "user"] : ["inbound", "outbound"];
      const counted = () => scopes.map((scope) => ({ scope, ...moved(scope) }));
      await settled(counted, () => scopes.map((scope) => ({ scope, ...sumOf(origins) })));
    },
  };
}

const settleMs = 5_000;

/** A count may be a moment behind what the other end has seen. */
async function settled(actual: () => unknown, expected: () => unknown): Promise<void> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    try {
      assert.deepEqual(actual(), expected());
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await turns(1);
  }
}

function sumOf(origins: readonly RawOrigin[]): Moved {
  return {
    up: origins.reduce((sum, { moved }) => sum + moved.up, 0),
    down: origins.reduce((sum, { moved }) => sum + moved.down, 0),
  };
}
