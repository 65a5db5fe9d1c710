import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useCli, portOf, testConfig } from "../helpers/cli.js";
import { queryCounters } from "../helpers/api-client.js";
import { LoadGenerator } from "./load.js";
import { login, type Load } from "./load-protocol.js";

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
});
