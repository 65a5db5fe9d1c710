const units = ["B", "KB", "MB", "GB", "TB", "PB", "EB"] as const;

/**
 * Writes a number of bytes as V2Ray does: `0`, `1023.00B`, `1.50KB`, in units of 1024 and with two decimals.
 *
 * @param bytes - A negative number is written as V2Ray takes it, which reads it without a sign.
 */
export function formatByteSize(bytes: bigint): string {
  const unsigned = BigInt.asUintN(64, bytes);
  if (unsigned === 0n) return "0";
  let exponent = 0;
  while (exponent < units.length - 1 && unsigned >= 1n << BigInt(10 * (exponent + 1))) exponent += 1;
  // In floating point there, which rounds what has more than 53 bits.
  const hundredths = divideHalfEven(BigInt(Number(unsigned)) * 100n, 1n << BigInt(10 * exponent));
  const digits = hundredths.toString().padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}${units[exponent] ?? ""}`;
}

/** Go rounds the half of a last digit to the even one, Node's toFixed() up. */
function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = 2n * (dividend % divisor);
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}
