import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { status } from "@grpc/grpc-js";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { assertCounters, expectedCounters, serviceNames } from "../helpers/api-client.js";
import { useCli, type Cli } from "../helpers/cli.js";
import { GrpcClient } from "../helpers/grpc-client.js";
import { useOrigin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";

/** One client for all tests of a suite. */
function useGrpcClient(cli: () => Cli): () => GrpcClient {
  let client: GrpcClient | undefined;
  after(() => client?.[Symbol.dispose]());
  return () => (client ??= new GrpcClient(cli().api));
}

describe("grpc-js", needs("curl"), () => {
  const cli = useCli();
  const origin = useOrigin();
  const client = useGrpcClient(cli);

  it("has some traffic to read about", async () => {
    const proxy = `socks5h://bob:bob@${cli().proxy}`;
    const { code } = await runProgram("curl", ["-s", "-x", proxy, `${origin().url}/bytes/5000`]);
    assert.equal(code, 0);
    await assertCounters(cli().api, () => expectedCounters("bob", origin().moved));
  });

  const { getStats, queryStats, getSysStats } = StatsService.method;

  // The messages are the same on the wire under every name.
  for (const service of serviceNames) {
    describe(`calling ${service}`, () => {
      it("queries", async () => {
        const { stat } = await client().call(queryStats, {}, service);
        const counters = Object.fromEntries(stat.map(({ name, value }) => [name, value]));
        assert.deepEqual(counters, expectedCounters("bob", origin().moved));
        assert.equal(stat.length, 6);
      });

      it("reads one counter", async () => {
        const name = "user>>>bob>>>traffic>>>downlink";
        const { stat } = await client().call(getStats, { name }, service);
        assert.equal(stat?.value, BigInt(origin().downlinkBytes));
      });

      it("is told NOT_FOUND for an unknown counter, and nothing else", async () => {
        await assert.rejects(client().call(getStats, { name: "Ünknown %20" }, service), {
          code: status.NOT_FOUND,
          details: "Ünknown %20 not found.",
        });
      });

      it("reads the system's figures", async () => {
        const figures = await client().call(getSysStats, {}, service);
        assert.ok(figures.NumGoroutine > 0);
        assert.ok(figures.Sys > figures.Alloc && figures.Alloc > 1_000_000n);
      });
    });
  }
});
