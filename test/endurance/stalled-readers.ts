import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { readBytes } from "../helpers/bytes.js";
import { proxyProtocols } from "../helpers/proxy.js";
import { closed, withTimeout } from "../helpers/timing.js";
import { EchoOrigin } from "./echo-origin.js";
import type { ProcessReport } from "./process-report.js";
import type { Run, RunLimits } from "./run.js";
import { checkClients, checkOrigins } from "./stalled-counts.js";
import { cutAll } from "./stalled-cuts.js";
import {
  stallClient,
  StallingOrigin,
  stallOrigin,
  type StalledReader,
  type StalledTransfer,
} from "./stalled-transfers.js";
import type { Stage } from "./stage.js";
import { users } from "./users.js";

export interface StalledReadersOptions {
  /** How many read nothing at the same time. */
  readonly count: number;
  /** What each of them is offered. */
  readonly offeredBytes: number;
  readonly repetitionCount: number;
  readonly timeoutMs: number;
  readonly limits: RunLimits;
}

/** The counters stand still if they have not changed for so many looks, so far apart. */
const lookCount = 20;
/** How long the relay keeps buffers for the next who needs one is two seconds. */
const buffersKeptMs = 2_500;
const betweenLooksMs = 20;
/** How soon others have to be served while so many are stalled. */
const echoTimeoutMs = 5_000;

/** Readers that are offered far more than there is room for, and read none of it: clients at first, then origins. */
export function stalledReaders({
  count,
  offeredBytes,
  repetitionCount,
  timeoutMs,
  limits,
}: StalledReadersOptions): Run {
  const origin = new StallingOrigin();
  const echo = new EchoOrigin();
  let echoPort = 0;

  /** One direction after the other. */
  const stallAll = async (
    stage: Stage,
    who: StalledReader,
    check: (transfers: readonly StalledTransfer[], before: ProcessReport, now: ProcessReport) => void,
  ): Promise<void> => {
    const { facts, proxy } = stage;
    const before = await proxy.report();
    const transfers: StalledTransfer[] = [];
    const open = who === "clients" ? stallClient : stallOrigin;
    for (let index = 0; index < count; index++) {
      transfers.push(await open(stage, origin, index, offeredBytes));
    }
    const now = await standstill(stage);
    facts.equal(`stalled ${who} in the table`, now.connectionCount, count);
    const stopped = transfers.filter(({ flood }) => flood.leftBytes > 0).length;
    facts.equal(`senders that stalled ${who} have stopped`, stopped, count);
    check(transfers, before, now);
    stage.addFigure(
      `${((now.rssBytes - before.rssBytes) / count / 1024).toFixed(0)} KiB of RSS for each of ${count} stalled ${who}`,
    );
    await assertServed(stage, echoPort);
    await cutAll(stage, who, transfers);
  };

  return {
    ...{ name: "stalled", repetitionCount, timeoutMs, limits },
    amount: `${count} × ${Math.round(offeredBytes / 2 ** 20)} MiB, both ways`,
    descriptorCount: 2 * count,
    repeat: async (stage, repetition) => {
      if (repetition === 1) {
        origin.endpoint = await stage.listen(origin.server);
        echoPort = (await stage.listen(echo.server)).port;
      }
      await stallAll(stage, "clients", (transfers, before, now) => {
        checkClients(stage.facts, transfers, before, now);
      });
      await stage.proxy.lookWhen(({ connectionCount }) => connectionCount === 0, 30_000);
      await stallAll(stage, "origins", (transfers, before, now) => {
        checkOrigins(stage.facts, transfers, before, now);
      });
      await sleep(buffersKeptMs);
    },
    check: () => undefined,
  };
}

/** Waits until nothing moves any more: nothing announces that a sender has been stopped. */
async function standstill({ proxy }: Stage): Promise<ProcessReport> {
  let last = await proxy.look();
  for (let looks = 0; looks < lookCount; looks++) {
    await sleep(betweenLooksMs);
    const now = await proxy.look();
    if (!isDeepStrictEqual(now.counters, last.counters)) looks = 0;
    last = now;
  }
  return proxy.report();
}

/** Somebody else's connections are answered all the same. */
async function assertServed(stage: Stage, port: number): Promise<void> {
  for (const protocol of proxyProtocols) {
    const answered = async (): Promise<void> => {
      const destination = { host: "127.0.0.1", port };
      const tunnel = await stage.openTunnel({ protocol, destination, user: users.other });
      tunnel.write("somebody else");
      assert.equal((await readBytes(tunnel, 13)).toString(), "somebody else");
      tunnel.end();
      await closed(tunnel.resume());
    };
    await withTimeout(answered(), echoTimeoutMs, `an echo through ${protocol}`);
  }
}
