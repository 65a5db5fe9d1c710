import type { Duplex } from "node:stream";

/**
 * The most that one write hands to the kernel where writes are counted. What the kernel has taken of a write is known when it
 * has all of it: so far may a count be behind.
 */
export const maxWriteBytes = 256 * 1024;

/**
 * Whether a write has gone out, to be asked in its callback with the error that it was given.
 *
 * Node 20 completes the write in flight without an error when its stream is destroyed: nobody knows what of it went out, so
 * it shall not be counted.
 */
export function hasGoneOut(to: Duplex, error: Error | null | undefined): boolean {
  return (error === null || error === undefined) && !to.destroyed;
}
