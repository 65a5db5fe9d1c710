import type { Random } from "../helpers/random.js";

/** How a client asks. */
export const shortWays = ["socks5", "http", "plain"] as const;
export type ShortWay = (typeof shortWays)[number];

/** A short connection through a proxy, in all its particulars. */
export interface ShortPlan {
  readonly way: ShortWay;
  /** What becomes of it; who cuts it does so with a reset. */
  readonly fate: "whole" | "client cuts" | "origin cuts" | "refused" | "abandoned";
  /** What the client wants to send, and the origin. */
  readonly upBytes: number;
  readonly downBytes: number;
  /** Who cuts it does so when so much of what the other sends has come, and so much of its own has been handed over. */
  readonly cutAfterUpBytes: number;
  readonly cutAfterDownBytes: number;
  /** Who says its last word first, where both can. */
  readonly endsFirst: "client" | "origin";
  /** Whether the client asks for `localhost`, which has to be looked up, and may have two addresses. */
  readonly byName: boolean;
  /** Which of the handshakes is abandoned that there are to abandon. */
  readonly abandonment: number;
}

/** The largest body of a short connection, in bytes. */
export const maxShortBytes = 20_000;

/** Most of them come to their end; of each fault there is some. */
export function randomShortPlan(random: Random): ShortPlan {
  const fates = ["client cuts", "origin cuts", "refused", "abandoned"] as const;
  const upBytes = randomLength(random);
  const downBytes = randomLength(random);
  return {
    way: random.pick(shortWays),
    fate: random.below(5) === 0 ? random.pick(fates) : "whole",
    upBytes,
    downBytes,
    cutAfterUpBytes: random.below(upBytes + 1),
    cutAfterDownBytes: random.below(downBytes + 1),
    endsFirst: random.pick(["client", "origin"]),
    byName: random.below(10) === 0,
    abandonment: random.below(1_000),
  };
}

function randomLength(random: Random): number {
  return random.below(random.pick([1, 100, 1_000, 5_000, maxShortBytes]));
}
