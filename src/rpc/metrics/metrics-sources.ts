import type { RefusedConnections } from "../../net/connection-limits.js";
import type { FailedLogins } from "../../net/login-brake.js";
import type { CounterStore } from "../../stats/counter-store.js";
import type { ConnectionTallies } from "../../track/connection-table.js";
import type { CallTally } from "../call-tally.js";
import type { RefusalTally } from "../refusal-tally.js";
import type { SysStatsSource } from "../sys-stats.js";

/** Where the figures of the metrics come from. They are read anew by each who asks. */
export interface MetricsSources {
  /** Absent where nothing is counted. */
  readonly store: CounterStore | undefined;
  readonly sysStats: SysStatsSource;
  /** Absent where nobody keeps a table of connections. */
  readonly connections: { readonly tallies: ConnectionTallies } | undefined;
  /** Absent where nothing limits connections. */
  readonly refusedConnections: RefusedConnections | undefined;
  /** Absent where nobody logs in. */
  readonly failedLogins: FailedLogins | undefined;
  /** One for each method that is served. */
  readonly calls: readonly CallTally[];
  readonly refusals: RefusalTally;
}
