import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { count, userUplink } from "./api-server.js";
import { startBothWays, type ServedWayOptions } from "./both-ways.js";
import { exchanges, type Exchange, type Sent } from "./exchange.js";
import { envelope } from "./grpc.js";

/** A counter that has 100 bytes. */
export const alice = userUplink("alice");
/** One with the most bytes that there can be, and a name that is not ASCII. */
export const umlauts = userUplink("ünïcödé 🦆");
/** One that has none. */
export const idle = userUplink("idle");

/** A protocol in its binary form. */
export interface BinaryProtocol {
  readonly protocol: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What its headers about compression are called: that of the request, and what the caller takes. */
  readonly encodingHeader: string;
  readonly acceptHeader: string;
  readonly timeoutHeader: string;
  /** The body of a request with that message. */
  readonly wrap: (message: Uint8Array) => Uint8Array;
}

const grpcNames = {
  encodingHeader: "grpc-encoding",
  acceptHeader: "grpc-accept-encoding",
  timeoutHeader: "grpc-timeout",
};
export const grpc: BinaryProtocol = {
  ...grpcNames,
  protocol: "gRPC",
  headers: { "content-type": "application/grpc", te: "trailers" },
  wrap: (message) => envelope(message),
};
export const grpcWeb: BinaryProtocol = {
  ...grpcNames,
  protocol: "gRPC-Web",
  headers: { "content-type": "application/grpc-web+proto" },
  wrap: (message) => envelope(message),
};
export const connect: BinaryProtocol = {
  protocol: "Connect",
  headers: { "content-type": "application/proto", "connect-protocol-version": "1" },
  encodingHeader: "content-encoding",
  acceptHeader: "accept-encoding",
  timeoutHeader: "connect-timeout-ms",
  wrap: (message) => message,
};
/** Those whose messages are in protobuf's JSON. */
export const jsonProtocols = [
  { protocol: "gRPC", contentType: "application/grpc+json", wrap: grpc.wrap },
  { protocol: "gRPC-Web", contentType: "application/grpc-web+json", wrap: grpcWeb.wrap },
  { protocol: "Connect", contentType: "application/json", wrap: connect.wrap },
  { protocol: "Connect in UTF-8", contentType: "application/json; charset=utf-8", wrap: connect.wrap },
];
export const protocols: readonly BinaryProtocol[] = [grpc, grpcWeb, connect];
/** Those that put a message into an envelope. */
export const envelopedProtocols: readonly BinaryProtocol[] = [grpc, grpcWeb];

/** One request, to be sent to both servers. */
export interface SameCase extends Omit<ServedWayOptions, "fill"> {
  readonly what: string;
  readonly sent: Sent;
  /** Whether it is served on the shorter way, where there is one. Both ways would say the same if nothing ever were. */
  readonly isHot: boolean;
  /** Default: the counters above. */
  readonly fill?: ServedWayOptions["fill"];
}

/**
 * States for each case that both servers answer it alike.
 *
 * @param over - Default: both versions of HTTP.
 */
export function describeSame(name: string, cases: readonly SameCase[], over = exchanges): void {
  describe(`${name} on the shorter way and on the router's`, { timeout: 60_000 }, () => {
    for (const { version, exchange } of over) {
      for (const sameCase of cases) {
        it(`is the same: ${sameCase.what}, over ${version}`, { timeout: 10_000 }, async (t) => {
          await assertSame(t, exchange, sameCase);
        });
      }
    }
  });
}

/** Sends a request to two servers of the same counters, and compares all that comes of it. */
export async function assertSame(
  t: TestContext,
  exchange: Exchange,
  { sent, isHot, fill = fillUsual, ...options }: SameCase,
): Promise<void> {
  const { hot, routed } = await startBothWays(t, { ...options, fill });
  const [seen, expected] = await Promise.all([exchange(t, hot.port, sent), exchange(t, routed.port, sent)]);
  assert.deepEqual(seen, expected);
  assert.deepEqual(hot.traces(), routed.traces());
  assert.equal(hot.hotCount, isHot ? 1 : 0, "calls on the shorter way");
  assert.equal(routed.hotCount, 0);
}

function fillUsual(...[store]: Parameters<NonNullable<ServedWayOptions["fill"]>>): void {
  count(store, alice, 100);
  count(store, umlauts, 2n ** 63n - 1n);
  count(store, idle, 0);
}
