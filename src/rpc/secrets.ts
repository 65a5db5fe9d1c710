import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Caller } from "./caller.js";

/** A secret with which one may call the API: what stands behind `authorization: Bearer`. */
export interface ApiSecret {
  /** What whoever has it is called. */
  readonly name: string;
  /** Let it be long and random: `openssl rand -hex 32`. An empty one opens nothing. */
  readonly secret: string;
  /** Whether who has it may set counters to zero. Default: false. */
  readonly reset?: boolean | undefined;
}

/**
 * Builds the judge of `authorization` headers, which says whose secret one has, if anybody's.
 *
 * The time that it takes tells nothing of the secrets: digests under a key that is nobody's are compared instead of them,
 * each to its end, and all of them every time.
 */
export function createCallerJudge(
  secrets: readonly ApiSecret[],
): (authorization: string | undefined) => Caller | undefined {
  const key = randomBytes(32);
  const digest = (token: Buffer): Buffer => createHmac("sha256", key).update(token).digest();
  const known = secrets.map(({ name, secret, reset = false }) => ({
    digest: digest(Buffer.from(secret)),
    caller: { name, mayReset: reset },
  }));
  return (authorization) => {
    const [, token] = /^Bearer +(\S+) *$/i.exec(authorization ?? "") ?? [];
    if (token === undefined) return undefined;
    // Node reads headers as Latin-1, one character a byte.
    const given = digest(Buffer.from(token, "latin1"));
    return known.reduce<Caller | undefined>(
      (found, { digest: expected, caller }) => (timingSafeEqual(expected, given) ? caller : found),
      undefined,
    );
  };
}
