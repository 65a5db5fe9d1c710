import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TestContext } from "node:test";
import { relay } from "../../src/net/relay.js";
import { RelayBuffers } from "../../src/net/relay-buffers.js";
import { RelayTally } from "../../src/net/relay-tally.js";
import { WaitWatch } from "../../src/net/wait-watch.js";
import { connectionKinds, type Connection } from "./connections.js";
import { createRandom, randomPieces } from "./random.js";
import { socketPair } from "./sockets.js";
import { createTallies, type Tallies, type Tally } from "./tally.js";
import { closed, turns, withTimeout } from "./timing.js";

/** A way in which a relay carries bytes. */
export interface RelayWay {
  readonly name: string;
  /** Default: none. */
  readonly buffers?: RelayBuffers;
}

/** Every way there is between sockets, which must all behave alike. A direction is busy from its first byte. */
export const socketWays: readonly RelayWay[] = [
  { name: "with buffers", buffers: new RelayBuffers({ busyReadBytes: 1 }) },
  {
    name: "with no buffer to borrow",
    buffers: new RelayBuffers({ busyReadBytes: 1, maxLargeCount: 0, maxMiddleCount: 0 }),
  },
  { name: "without buffers" },
];

/** Every kind of connection, and of sockets every way. The others are given buffers in vain. */
export const relayWays = connectionKinds.flatMap(([kind, connected]) =>
  (kind === "net.Socket" ? socketWays : socketWays.slice(0, 1)).map((way) => ({ ...way, kind, connected })),
);

/** A relay, and all that can be seen of it. */
export interface Relayed<Kind extends Duplex = Duplex> extends Tallies {
  /** The client's end and the destination's end, outside. */
  readonly clientPeer: Kind;
  readonly remotePeer: Kind;
  /** The two ends inside. */
  readonly client: Kind;
  readonly remote: Kind;
  /** The relay's own sums. */
  readonly tally: RelayTally;
  readonly done: Promise<void>;
}

export interface RelayedOptions {
  readonly way: RelayWay;
  /** Called before the relay begins. */
  readonly prepare?: ((client: Connection, remote: Connection) => unknown) | undefined;
}

/** Connects two pairs, and joins them. */
export async function relayed(
  t: TestContext,
  connected: (t: TestContext) => Promise<Connection>,
  { way, prepare }: RelayedOptions,
): Promise<Relayed> {
  const client = await connected(t);
  const remote = await connected(t);
  await prepare?.(client, remote);
  return {
    client: client.ours,
    clientPeer: client.peer,
    remote: remote.ours,
    remotePeer: remote.peer,
    ...start(client.ours, remote.ours, way),
  };
}

/** The same for TCP, with sockets that can be reset. */
export async function relayedSockets(t: TestContext, way: RelayWay): Promise<Relayed<Socket>> {
  const [client, remote] = [await socketPair(t), await socketPair(t)];
  return {
    client: client.server,
    clientPeer: client.client,
    remote: remote.server,
    remotePeer: remote.client,
    ...start(client.server, remote.server, way),
  };
}

function start(client: Duplex, remote: Duplex, way: RelayWay) {
  const tallies = createTallies();
  const tally = new RelayTally();
  const waits = new WaitWatch({ tickMs: 10 });
  return { ...tallies, tally, done: relay(client, remote, { ...tallies.sinks, tally, waits, ...way }) };
}

/** In pieces of random sizes up to 70,000 bytes. */
export function writePieces(stream: Duplex, bytes: Buffer, seed: number): void {
  for (const piece of randomPieces(createRandom(seed), bytes, 70_000)) stream.write(piece);
}

/** In pieces, as they would arrive: a pipe hands a write on as it is. */
export function writeZeros(stream: Duplex, length: number): void {
  const piece = Buffer.alloc(65_536);
  for (let rest = length; rest > 0; rest -= piece.length) stream.write(piece.subarray(0, rest));
}

/** Waits until a count has not moved for a while. */
export async function stalled(tally: Tally): Promise<void> {
  for (let still = 0, last = -1; still < 30;) {
    await turns(3);
    still = tally.bytes === last ? still + 1 : 0;
    last = tally.bytes;
  }
}

/** Waits for the end, however it came: the relay's own sums are what it told its sinks. */
export async function allClosed({
  client,
  remote,
  done,
  ...sums
}: Pick<Relayed, "client" | "remote" | "done" | "tally" | "up" | "down">): Promise<void> {
  await withTimeout(done, 5_000, "the end of the relay");
  await closed(client);
  await closed(remote);
  assertSumsAgree(sums);
}

/** The relay's own sums are what it told its sinks. */
export function assertSumsAgree({ tally, up, down }: Pick<Relayed, "tally" | "up" | "down">): void {
  assert.deepEqual([tally.uplinkBytes, tally.downlinkBytes], [up.bytes, down.bytes]);
}

/** Nobody has a buffer any more. */
export function assertAllGivenBack({ buffers }: RelayWay): void {
  assert.deepEqual([buffers?.middle.lentCount ?? 0, buffers?.large.lentCount ?? 0], [0, 0]);
}
