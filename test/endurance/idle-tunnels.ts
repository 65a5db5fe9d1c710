import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { readBytes } from "../helpers/bytes.js";
import { proxyProtocols } from "../helpers/proxy.js";
import { closed } from "../helpers/timing.js";
import { cutWord, EchoOrigin, endWord } from "./echo-origin.js";
import { inParallel } from "../helpers/in-parallel.js";
import { countedBy, type Run, type RunLimits } from "./run.js";
import type { Stage } from "./stage.js";
import { stopwatch } from "./stopwatch.js";
import { users } from "./users.js";

export interface IdleTunnelsOptions {
  /** How many there are at the same time. */
  readonly count: number;
  /** How long they rest in the last repetition, in milliseconds; in those before it only the heap is warmed up. */
  readonly idleMs: number;
  readonly timeoutMs: number;
  readonly limits: RunLimits;
  /** What a tunnel may add to the resident set of the proxy, in bytes. */
  readonly maxTunnelBytes: number;
}

const parallelCount = 100;
const repetitionCount = 2;
const ping = Buffer.from("are you there?\n");

/** How a tunnel comes to its end: whoever has the word ends or cuts it. */
const endings: readonly ((tunnel: Socket) => number)[] = [
  (tunnel) => {
    tunnel.end();
    return 0;
  },
  (tunnel) => {
    tunnel.resetAndDestroy();
    return 0;
  },
  (tunnel) => say(tunnel, endWord),
  (tunnel) => say(tunnel, cutWord),
];

/** Many tunnels through which nothing passes for a while, and that stand all the same. */
export function idleTunnels({ count, idleMs, timeoutMs, limits, maxTunnelBytes }: IdleTunnelsOptions): Run {
  const origin = new EchoOrigin();
  const moved = { up: 0, down: 0 };
  let port = 0;

  const askAll = async (tunnels: readonly Socket[]): Promise<void> => {
    await inParallel(tunnels.length, parallelCount, async (index) => {
      const tunnel = tunnels[index];
      assert.ok(tunnel !== undefined);
      moved.up += say(tunnel, ping);
      const answer = await readBytes(tunnel, ping.length);
      moved.down += answer.length;
      assert.deepEqual(answer, ping);
    });
  };

  const openAll = async (stage: Stage): Promise<readonly Socket[]> => {
    const tunnels: Socket[] = [];
    await inParallel(count, parallelCount, async (index) => {
      const protocol = proxyProtocols[index % proxyProtocols.length] ?? "socks5";
      const destination = { host: "127.0.0.1", port };
      tunnels.push(await stage.openTunnel({ protocol, destination, user: users.whole }));
    });
    await askAll(tunnels);
    return tunnels;
  };

  return {
    ...{ name: "idle", repetitionCount, timeoutMs, limits },
    amount: `${count.toLocaleString("en-US")} tunnels, ${idleMs / 1_000} s`,
    descriptorCount: 2 * count,
    repeat: async (stage, repetition) => {
      const { facts, proxy } = stage;
      if (port === 0) ({ port } = await stage.listen(origin.server));
      const empty = await proxy.report();
      const tunnels = await openAll(stage);
      const open = await proxy.report();
      facts.equal("tunnels in the table", open.connectionCount, count);
      const tunnelBytes = (open.rssBytes - empty.rssBytes) / count;
      if (repetition === 1) {
        facts.atMost("RSS for each idle tunnel", Math.round(tunnelBytes), maxTunnelBytes);
        stage.addFigure(`${(tunnelBytes / 1024).toFixed(1)} KiB of RSS for each idle tunnel`);
      }
      if (repetition === repetitionCount) {
        const begun = await stopwatch(stage);
        await sleep(idleMs);
        const { seconds, cpuMs } = await begun();
        stage.addFigure(`${(cpuMs / seconds).toFixed(1)} ms of processor time a second while they are idle`);
        facts.equal("tunnels in the table afterwards", (await proxy.look()).connectionCount, count);
      }
      await askAll(tunnels);
      await Promise.all(
        tunnels.map(async (tunnel, index) => {
          tunnel.resume().on("end", () => tunnel.end());
          moved.up += endings[index % endings.length]?.(tunnel) ?? 0;
          await closed(tunnel);
        }),
      );
    },
    check: (facts, report) => {
      facts.equal("uplink", countedBy(report, "user", "uplink", users.whole.username), moved.up);
      facts.equal("downlink", countedBy(report, "user", "downlink", users.whole.username), moved.down);
    },
  };
}

/** @returns how many bytes that were. */
function say(tunnel: Socket, word: Buffer): number {
  tunnel.write(word);
  return word.length;
}
