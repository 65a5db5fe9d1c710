/** Milliseconds in each unit, as Go writes them, and the days of sing-box. */
const msPerUnit: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|[smhd])/g;
const wholeDuration = new RegExp(`^\\+?(?:${part.source})+$`);

/**
 * Reads a duration such as `300ms`, `1.5s` or `1m30s`: numbers, each with its unit, that add up (Go's `ParseDuration`, and
 * `d`). Negative ones are none.
 *
 * @returns milliseconds, not rounded; `undefined` if it is no duration.
 */
export function parseDuration(text: string): number | undefined {
  // The only one that needs no unit.
  if (/^\+?0$/.test(text)) return 0;
  if (!wholeDuration.test(text)) return undefined;
  return Array.from(text.matchAll(part)).reduce((sum, [, number, unit = ""]) => {
    return sum + Number(number) * (msPerUnit[unit] ?? 0);
  }, 0);
}
