import assert from "node:assert/strict";
import type { PacketHandler, RequestHandler } from "../../src/proxy/inbound.js";
import { PacketRouter } from "../../src/proxy/packet-router.js";
import { Router } from "../../src/proxy/router.js";
import { Routes, type RoutesOptions } from "../../src/proxy/routes.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { chainTrackers, type ConnectionMetadata } from "../../src/track/connection-tracker.js";
import { StatsTracker } from "../../src/track/stats-tracker.js";
import type { Moved } from "./counted-proxy.js";
import { eventually } from "./eventually.js";
import { RecordingLogger } from "./recording-logger.js";
import { RecordingTracker } from "./recording-tracker.js";

/** What comes behind an inbound: routers, and counters for everything that tests name. */
export interface CountedPackets {
  readonly onPackets: PacketHandler;
  readonly onRequest: RequestHandler;
  readonly logger: RecordingLogger;
  /** The facts of each routed connection, in order. */
  readonly told: readonly ConnectionMetadata[];
  /** What the counters hold, by scope and tag, such as `inbound in`. */
  readonly moved: () => Record<string, Moved>;
  /**
   * Waits until these are all the counters there are, and they hold that much; fails after 5 s.
   *
   * @param moved - Asked each time, if it is a function: a count may be a moment behind what the other end has seen.
   */
  readonly assertMoved: (subjects: readonly string[], moved: Moved | (() => Moved)) => Promise<void>;
}

/** The tags and names that are counted. */
const counted = {
  inbounds: ["in"],
  outbounds: ["out", "one", "two", "block", "tcp-only"],
  users: ["alice", "bob"],
} as const;

/** Routes packets and connections of the inbound `in`. */
export function countPackets(routes: RoutesOptions): CountedPackets {
  const logger = new RecordingLogger();
  const store = new CounterStore();
  const recording = new RecordingTracker();
  const tracker = chainTrackers([recording, new StatsTracker(store, counted)]);
  const routing = { routes: new Routes(routes), tracker, logger };
  const [router, packetRouter] = [new Router(routing), new PacketRouter(routing)];
  const moved = (): Record<string, Moved> => {
    const found: Record<string, Moved> = {};
    for (const { name, counter } of store.query(() => true)) {
      const [scope = "", tag = "", , direction] = name.split(">>>");
      const { up, down } = found[`${scope} ${tag}`] ?? { up: 0, down: 0 };
      const bytes = Number(counter.total);
      found[`${scope} ${tag}`] =
        direction === "uplink" ? { up: up + bytes, down } : { up, down: down + bytes };
    }
    return found;
  };
  return {
    onPackets: async (request) => packetRouter.route(request),
    onRequest: async (request) => router.route(request),
    logger,
    told: recording.told,
    moved,
    assertMoved: async (subjects, expected) => {
      await eventually(() => {
        const each = typeof expected === "function" ? expected() : expected;
        assert.deepEqual(moved(), Object.fromEntries(subjects.map((subject) => [subject, each])));
      });
    },
  };
}
