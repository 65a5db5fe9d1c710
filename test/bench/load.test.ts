import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startCli, useCli, portOf, testConfig } from "../helpers/cli.js";
import { queryCounters } from "../helpers/api-client.js";
import { eventually } from "../helpers/eventually.js";
import { getOne, queryAll } from "./calls.js";
import { LoadGenerator } from "./load.js";
import { login, type Load } from "./load-protocol.js";
import { descriptorsOf } from "./process-cost.js";

describe("the bench's load", () => {
  const cli = useCli(testConfig({ users: [login] }));

  const loads: readonly (readonly [load: Load, up: bigint, down: bigint])[] = [
    [{ kind: "transfers", count: 9, parallel: 3, upBytes: 200, downBytes: 2_000 }, 9n * 216n, 18_000n],
    [{ kind: "transfers", count: 1, parallel: 1, upBytes: 3_000_000, downBytes: 1 }, 3_000_016n, 1n],
    [{ kind: "packets", count: 100, window: 16, payloadBytes: 1_200 }, 120_000n, 120_000n],
    [{ kind: "packets", count: 64, window: 64, payloadBytes: 10 }, 640n, 640n],
    [{ kind: "idle", count: 5 }, 80n, 0n],
  ];
  for (const [load, up, down] of loads) {
    it(`is what the proxy counts: ${JSON.stringify(load)}`, { timeout: 20_000 }, async () => {
      const generator = await LoadGenerator.start();
      try {
        await generator.carryOut(load);
        const proxy = { host: "127.0.0.1", port: portOf(cli().proxy) };
        const { lostCount } = await generator.carryOut(load, { proxy });
        assert.equal(lostCount, 0);
        await generator.release();
        await cli().stderr.matching(/connection closed/);
        const counters = await queryCounters(cli().api, { reset: true, patterns: ["user>>>"] });
        assert.deepEqual(counters, {
          "user>>>alice>>>traffic>>>uplink": up,
          "user>>>alice>>>traffic>>>downlink": down,
        });
      } finally {
        generator[Symbol.dispose]();
      }
    });
  }

  async function withGenerator(use: (generator: LoadGenerator) => Promise<void>): Promise<void> {
    const generator = await LoadGenerator.start();
    try {
      await use(generator);
    } finally {
      generator[Symbol.dispose]();
    }
  }
  const io = { timeout: 20_000 };
  const targetOf = (address: string) => ({ host: "127.0.0.1", port: portOf(address) });

  it("calls an API, or somebody who only answers, and says what that took itself", io, async () => {
    await withGenerator(async (generator) => {
      const load = { kind: "calls", ...queryAll, count: 20, connections: 2, streams: 3 } as const;
      for (const target of [{}, { api: targetOf(cli().api) }]) {
        const { wallMs, cpuMs } = await generator.carryOut(load, target);
        assert.ok(wallMs > 0 && cpuMs > 0);
      }
    });
  });

  it("fails when a call does", io, async () => {
    await withGenerator(async (generator) => {
      const load = { kind: "calls", ...getOne, count: 1, connections: 1, streams: 1 } as const;
      await assert.rejects(generator.carryOut(load, { api: targetOf(cli().api) }), /process ended with 1/);
    });
  });

  it("holds connections to an API until they are released", io, async (t) => {
    const { pid, api } = await startCli(t);
    await withGenerator(async (generator) => {
      const hold = async (count: number): Promise<number> => {
        await generator.carryOut({ kind: "idle-calls", ...queryAll, count }, { api: targetOf(api) });
        return descriptorsOf(pid);
      };
      const withOne = await hold(1);
      assert.equal(await hold(7), withOne + 7);
      await generator.release();
      await eventually(() => {
        assert.equal(descriptorsOf(pid), withOne - 1);
      });
    });
  });

  it("takes the time of whatever a server has beside queries, at least once", io, async () => {
    await withGenerator(async (generator) => {
      const load = { kind: "beside", ms: 1, small: queryAll, large: queryAll, largeEveryMs: 1_000 } as const;
      const [api, proxy] = [targetOf(cli().api), targetOf(cli().proxy)];
      const { tookMs: ofBoth } = await generator.carryOut(load, { api, proxy });
      assert.ok(ofBoth?.echoes[0] !== undefined && ofBoth.connections[0] !== undefined);
      const { tookMs: ofApi } = await generator.carryOut(load, { api });
      assert.ok(ofApi?.calls[0] !== undefined);
      assert.deepEqual([ofApi.echoes, ofApi.connections], [[], []]);
    });
  });
});
