import { createRandom } from "../helpers/random.js";
import { withTimeout } from "../helpers/timing.js";
import { keepWaiting } from "./abandoned-handshakes.js";
import { inParallel } from "../helpers/in-parallel.js";
import type { Run, RunLimits } from "./run.js";
import { playClient } from "./short-client.js";
import { poolBytes, ShortExchange } from "./short-exchange.js";
import { ShortOrigin } from "./short-origin.js";
import { randomShortPlan } from "./short-plan.js";
import { ShortSums } from "./short-sums.js";
import type { Stage } from "./stage.js";
import { stopwatch } from "./stopwatch.js";

export interface ShortConnectionsOptions {
  /** How many connections there are in each repetition. */
  readonly count: number;
  readonly repetitionCount: number;
  /** How many more, in each repetition, say half of what they want and wait until the proxy has had enough of them. */
  readonly waitingCount: number;
  readonly timeoutMs: number;
  readonly limits: RunLimits;
  /** Default: always the same. */
  readonly seed?: number;
}

/** How many are open at the same time. */
const parallelCount = 100;
/** Longer than the proxy waits for a handshake. */
const connectionTimeoutMs = 60_000;

/**
 * Many short connections in every way that a client has, some of which fail in every way that there is: cut by either end
 * at any point, refused by the destination, given up by the client.
 */
export function shortConnections({
  count,
  repetitionCount,
  waitingCount,
  timeoutMs,
  limits,
  seed = 1,
}: ShortConnectionsOptions): Run {
  const random = createRandom(seed);
  const pool = random.bytes(poolBytes);
  const origin = new ShortOrigin();
  const sums = new ShortSums();
  let port = 0;
  let lastId = 0;

  const carryOutOne = async (stage: Stage): Promise<void> => {
    const exchange = new ShortExchange(++lastId, randomShortPlan(random), pool);
    origin.expect(exchange);
    try {
      await withTimeout(playClient(stage, exchange, port), connectionTimeoutMs, "the connection");
    } catch (cause) {
      throw new Error(`connection ${exchange.id}, ${JSON.stringify(exchange.plan)}`, { cause });
    }
    sums.add(exchange);
  };

  const carryOutAll = async (stage: Stage): Promise<void> => {
    const begun = await stopwatch(stage);
    await inParallel(count, parallelCount, async () => carryOutOne(stage));
    const { seconds, cpuMs } = await begun();
    stage.addFigure(
      `${Math.round(count / seconds).toLocaleString("en-US")} connections/s, ` +
        `${(cpuMs / count).toFixed(2)} ms of the proxy's processor time each`,
    );
  };

  const waitForAll = async (stage: Stage): Promise<void> => {
    await inParallel(waitingCount, waitingCount, async (which) => {
      const waited = keepWaiting(await stage.connect(), { host: "127.0.0.1", port }, which);
      await withTimeout(waited, connectionTimeoutMs, "the end of a handshake that goes no further");
    });
  };

  return {
    ...{ name: "short", repetitionCount, timeoutMs, limits },
    amount: `${(count * repetitionCount).toLocaleString("en-US")} connections`,
    // At the worst, both ends of connections that have not closed yet at both.
    descriptorCount: 4 * (parallelCount + waitingCount),
    repeat: async (stage) => {
      if (port === 0) ({ port } = await stage.listen(origin.server));
      await Promise.all([carryOutAll(stage), waitForAll(stage)]);
    },
    check: (facts, report) => {
      facts.equal("failures at the origin", origin.failures.map(String), []);
      sums.check(facts, report);
    },
  };
}
