import { parseArgs } from "node:util";
import { statScopes, type StatScope } from "../stats/stat-name.js";
import { parseSeconds, topOptions, type ClientValues } from "./client-options.js";
import { UsageError } from "./usage-error.js";

/** What `v2ray-api top` was asked for. */
export interface TopSettings {
  readonly scope: StatScope;
  readonly intervalMs: number;
  /** How many tables there will be; infinite where nobody says. */
  readonly count: number;
  readonly client: ClientValues;
}

/** @throws UsageError, or TypeError from parseArgs. */
export function parseTopSettings(args: readonly string[]): TopSettings {
  const { values } = parseArgs({ args: [...args], options: topOptions });
  const scope = statScopes.find((known) => known === values.by);
  if (scope === undefined) {
    throw new UsageError(`by: expected ${statScopes.join(", ")}, got ${JSON.stringify(values.by)}`);
  }
  const { count = "" } = values;
  if (values.count !== undefined && !/^[1-9]\d{0,8}$/.test(count)) {
    throw new UsageError(`count: expected a number from 1, got ${JSON.stringify(count)}`);
  }
  return {
    scope,
    intervalMs: parseSeconds("interval", values.interval),
    count: values.count === undefined ? Number.POSITIVE_INFINITY : Number(count),
    client: values,
  };
}
