/** A counter, as it was read. */
export interface Stat {
  readonly name: string;
  readonly value: bigint;
}

/**
 * Puts the answers of several calls together: each name once, where it came up first.
 *
 * @param answers - In the order of the calls. One may name a counter twice: sing-box does, for each pattern that fits it.
 * @param reset - Whether the calls have reset what they read. Then the values of a name are parts of a whole, to be summed;
 *   else they are readings of one counter, and the last one is the latest.
 */
export function mergeStats(answers: Iterable<readonly Stat[]>, reset: boolean): readonly Stat[] {
  const values = new Map<string, bigint>();
  for (const stats of answers) {
    for (const { name, value } of stats) values.set(name, reset ? (values.get(name) ?? 0n) + value : value);
  }
  return Array.from(values, ([name, value]) => ({ name, value }));
}
