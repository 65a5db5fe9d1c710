const nsPerSecond = 1_000_000_000n;

/** Below a second, the largest unit that leaves a whole number before the point. */
const smallUnits = [
  ["ms", 6],
  ["µs", 3],
] as const;

/** Writes a duration as Go does: `0s`, `408.564µs`, `1.5s`, `1h2m5s`. */
export function formatGoDuration(ns: bigint): string {
  if (ns === 0n) return "0s";
  for (const [unit, digits] of smallUnits) {
    if (ns < nsPerSecond && ns >= 10n ** BigInt(digits)) return `${formatFraction(ns, digits)}${unit}`;
  }
  if (ns < nsPerSecond) return `${ns}ns`;
  const minutes = ns / (60n * nsPerSecond);
  const seconds = `${formatFraction(ns % (60n * nsPerSecond), 9)}s`;
  if (minutes === 0n) return seconds;
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

/** A number of that many decimals, without zeros at the end. */
function formatFraction(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, "0");
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, "");
}
