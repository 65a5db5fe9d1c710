/** The longest delay of Node's timers, in milliseconds; they take a longer one for 1 ms. */
const maxTimerMs = 2 ** 31 - 1;

const unitsMs: ReadonlyMap<string | undefined, number> = new Map([
  ["H", 3_600_000],
  ["M", 60_000],
  ["S", 1_000],
  ["m", 1],
  ["u", 1e-3],
  ["n", 1e-6],
]);

/**
 * Takes deadlines that no timer can keep (beyond 24 days, `grpc-timeout: 99999999H`) out of a request's headers: such a
 * call has none. Malformed ones stay, to be answered as such.
 */
export function dropEndlessDeadlines(headers: Headers): void {
  const [connectMs = "0"] = /^\d{1,10}$/.exec(headers.get("connect-timeout-ms") ?? "") ?? [];
  if (Number(connectMs) > maxTimerMs) headers.delete("connect-timeout-ms");
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  const grpcMs = Number(digits ?? 0) * (unitsMs.get(unit) ?? 0);
  if (grpcMs > maxTimerMs) headers.delete("grpc-timeout");
}
