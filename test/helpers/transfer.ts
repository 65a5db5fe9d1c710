import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { User } from "../../src/proxy/users.js";
import { startDestination } from "./destination.js";
import { openTunnel, proxyProtocols, type TunnelProtocol } from "./proxy.js";
import { randomPieces, type Random } from "./random.js";
import { closed, turns } from "./timing.js";

/** Who says its last word before the other says its first; `nobody` where both talk at once. */
export type FirstToEnd = "client" | "destination" | "nobody";

/** One end's part of a transfer. */
export interface EndPlan {
  /** What it sends. */
  readonly sends: readonly Buffer[];
  /** For how many turns of the event loop it rests after each piece that it reads. */
  readonly restTurns: number;
}

/** Ends a transfer before its time. */
export interface CutPlan {
  readonly by: "client" | "destination";
  readonly how: "destroy" | "reset";
  /** When that end has sent and received so many bytes together. */
  readonly afterBytes: number;
}

/** A transfer through a proxy, in all its particulars. */
export interface TransferPlan {
  readonly protocol: TunnelProtocol;
  readonly user: User;
  readonly client: EndPlan;
  readonly destination: EndPlan;
  readonly firstToEnd: FirstToEnd;
  readonly cut?: CutPlan;
}

/** What one end did and saw. */
export interface EndResult {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Digest of what it received. */
  readonly sha256: string;
  /** Whether it saw the other's end. */
  readonly sawEnd: boolean;
}

/** What became of a transfer. */
export interface TransferResult {
  readonly plan: TransferPlan;
  readonly client: EndResult;
  readonly destination: EndResult;
}

const maxBytes = 2 * 1024 * 1024;

/** A transfer that completes. Default: over any of the protocols in which a user can log in. */
export function randomTransfer(
  random: Random,
  user: User,
  pool: Buffer,
  protocols: readonly [TunnelProtocol, ...TunnelProtocol[]] = proxyProtocols,
): TransferPlan {
  return {
    protocol: random.pick(protocols),
    user,
    client: randomEnd(random, pool),
    destination: randomEnd(random, pool),
    firstToEnd: random.pick(["client", "destination", "nobody"]),
  };
}

/** A transfer that one end cuts short, most of the time. */
export function randomCutTransfer(random: Random, user: User, pool: Buffer): TransferPlan {
  const plan = randomTransfer(random, user, pool);
  const bytes = lengthOf(plan.client.sends) + lengthOf(plan.destination.sends);
  const by = random.pick<CutPlan["by"]>(["client", "destination"]);
  const how = random.pick<CutPlan["how"]>(["destroy", "reset"]);
  return { ...plan, firstToEnd: "nobody", cut: { by, how, afterBytes: random.below(bytes + 1) } };
}

/** Bytes to cut the transfers' contents from: making them for each would take longer than sending them. */
export function randomPool(random: Random): Buffer {
  return random.bytes(2 * maxBytes);
}

/** Carries a transfer out, until both ends are closed. */
export async function runTransfer(
  t: TestContext,
  proxy: Endpoint,
  plan: TransferPlan,
): Promise<TransferResult> {
  const target = await startDestination(t);
  const { protocol, user, firstToEnd, cut } = plan;
  const socket = await openTunnel(t, { protocol, proxy, destination: target.endpoint, user });
  const client = new TransferEnd(socket, plan.client, cut?.by === "client" ? cut : undefined);
  const remote = await target.accept();
  const destination = new TransferEnd(remote, plan.destination, cut?.by === "destination" ? cut : undefined);
  await Promise.all([
    client.run(firstToEnd === "destination"),
    destination.run(firstToEnd === "client"),
    closed(socket),
    closed(remote),
  ]);
  return { plan, client: client.result(), destination: destination.result() };
}

/** The digest that the other end should have seen. */
export function digestOf({ sends }: EndPlan): string {
  const hash = createHash("sha256");
  for (const piece of sends) hash.update(piece);
  return hash.digest("hex");
}

/** How many bytes the pieces have together. */
export function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

class TransferEnd {
  readonly #socket: Socket;
  readonly #plan: EndPlan;
  readonly #cut: CutPlan | undefined;
  readonly #hash = createHash("sha256");
  readonly #ended: Promise<void>;
  #sentBytes = 0;
  #receivedBytes = 0;
  #sawEnd = false;

  constructor(socket: Socket, plan: EndPlan, cut: CutPlan | undefined) {
    this.#socket = socket;
    this.#plan = plan;
    this.#cut = cut;
    this.#ended = new Promise((resolve) => {
      socket.on("end", () => {
        this.#sawEnd = true;
        resolve();
      });
      socket.on("close", resolve);
    });
    socket.on("data", (bytes: Buffer) => void this.#onData(bytes));
  }

  async run(isSecond: boolean): Promise<void> {
    this.#cutIfDue();
    if (isSecond) await this.#ended;
    for (const piece of this.#plan.sends) {
      if (!this.#socket.writable) return;
      this.#sentBytes += piece.length;
      if (!this.#socket.write(piece)) await this.#drained();
      this.#cutIfDue();
    }
    this.#socket.end();
  }

  result(): EndResult {
    return {
      sentBytes: this.#sentBytes,
      receivedBytes: this.#receivedBytes,
      sha256: this.#hash.digest("hex"),
      sawEnd: this.#sawEnd,
    };
  }

  async #onData(bytes: Buffer): Promise<void> {
    this.#receivedBytes += bytes.length;
    this.#hash.update(bytes);
    this.#cutIfDue();
    if (this.#plan.restTurns === 0) return;
    this.#socket.pause();
    await turns(this.#plan.restTurns);
    this.#socket.resume();
  }

  async #drained(): Promise<void> {
    return new Promise((resolve) => {
      const onDone = (): void => {
        this.#socket.off("drain", onDone);
        this.#socket.off("close", onDone);
        resolve();
      };
      this.#socket.on("drain", onDone);
      this.#socket.on("close", onDone);
    });
  }

  #cutIfDue(): void {
    if (this.#cut === undefined || this.#sentBytes + this.#receivedBytes < this.#cut.afterBytes) return;
    if (this.#cut.how === "reset") this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }
}

function randomEnd(random: Random, pool: Buffer): EndPlan {
  const length = random.below(random.pick([1, 2, 300, 70_000, maxBytes, maxBytes]));
  const start = random.below(pool.length - length);
  const maxPieceBytes = random.pick([500, 20_000, 70_000, maxBytes]);
  // A megabyte in pieces of a few bytes would be a test of patience.
  const pieces = randomPieces(
    random,
    pool.subarray(start, start + length),
    Math.max(maxPieceBytes, length / 200),
  );
  return { sends: pieces, restTurns: random.pick([0, 0, 1, 3]) };
}
