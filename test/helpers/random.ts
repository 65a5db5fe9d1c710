/** A source of the same numbers for the same seed, so that a failed random test can be run again. */
export interface Random {
  /** A whole number from 0 to `limit` − 1. */
  below(limit: number): number;
  /** That many bytes. */
  bytes(length: number): Buffer;
  /** One of the items. */
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** The generator mulberry32: 32 bits of state, plenty for test data. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    bytes: (length) => {
      const words = Uint32Array.from({ length: Math.ceil(length / 4) }, next);
      return Buffer.from(words.buffer, 0, length);
    },
    pick: (items) => items[below(items.length)] ?? items[0],
  };
}

/** Cuts bytes into pieces of 1 to `maxLength` bytes. */
export function randomPieces(random: Random, bytes: Buffer, maxLength: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = start + 1 + random.below(maxLength);
    pieces.push(bytes.subarray(start, end));
    start = end;
  }
  return pieces;
}
