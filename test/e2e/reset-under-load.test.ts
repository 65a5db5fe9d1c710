import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { StatsService as V2rayStatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { expectedCounters, queryCounters, serviceNames, type Counters } from "../helpers/api-client.js";
import { useCli } from "../helpers/cli.js";
import { GrpcClient } from "../helpers/grpc-client.js";
import { useOrigin, type Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram, type ProgramResult } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";

const transferBytes = 12_000_000;

/** Sums of the values by name. */
class Sums {
  readonly #values = new Map<string, bigint>();
  /** How many of the answers had bytes in them. */
  fullAnswerCount = 0;

  add(counters: Counters): void {
    const entries = Object.entries(counters);
    if (entries.some(([, value]) => value > 0n)) this.fullAnswerCount += 1;
    for (const [name, value] of entries) this.#values.set(name, (this.#values.get(name) ?? 0n) + value);
  }

  toCounters(): Counters {
    return Object.fromEntries(this.#values);
  }
}

function sumOf(...origins: readonly Origin[]): { readonly up: number; readonly down: number } {
  return origins.reduce(
    ({ up, down }, { uplinkBytes, downlinkBytes }) => ({ up: up + uplinkBytes, down: down + downlinkBytes }),
    { up: 0, down: 0 },
  );
}

describe("QueryStats with reset, under load", needs("curl"), () => {
  const cli = useCli();
  const alices = useOrigin();
  const bobs = useOrigin();

  function startTransfers(proxy: string, body: string): readonly Promise<ProgramResult>[] {
    return (["socks5h", "http"] as const).flatMap((scheme) =>
      [
        { user: "alice", url: alices().url },
        { user: "bob", url: bobs().url },
      ].flatMap(({ user, url }) => {
        const args = ["-sS", "-p", "-x", `${scheme}://${user}:${user}@${proxy}`, "-o", "/dev/null"];
        return [
          runProgram("curl", [...args, "-T", body, url]),
          runProgram("curl", [...args, `${url}/bytes/${transferBytes}`]),
        ];
      }),
    );
  }

  it("answers every byte exactly once, however many callers share the counters", async (t) => {
    const clients = [new GrpcClient(cli().api), new GrpcClient(cli().api)];
    t.after(() => {
      for (const client of clients) client[Symbol.dispose]();
    });
    const body = createTempDir(t).write("body", Buffer.alloc(transferBytes, "upload"));
    const sums = new Sums();
    let isOver = false;

    const pollers: readonly (() => Promise<Counters>)[] = [
      ...clients.map((client, index) => async () => {
        const { stat } = await client.call(
          V2rayStatsService.method.queryStats,
          { reset: true },
          serviceNames[index],
        );
        return Object.fromEntries(stat.map(({ name, value }) => [name, value]));
      }),
      async () => queryCounters(cli().api, { reset: true }),
      async () => queryCounters(cli().api, { reset: true, patterns: ["^user", "bound>>>"], regexp: true }),
    ];
    const polling = pollers.map(async (poll) => {
      while (!isOver) sums.add(await poll());
    });

    let transferCount = 0;
    // However fast the bytes move: until many answers have fallen among them.
    while (sums.fullAnswerCount <= 10) {
      const transfers = startTransfers(cli().proxy, body);
      for (const { code, stderr } of await Promise.all(transfers)) assert.equal(code, 0, stderr);
      transferCount += transfers.length;
      // Every tunnel is over, and with it all that will ever be counted.
      await cli().stderr.matchingTimes(/connection closed/g, transferCount);
    }
    isOver = true;
    await Promise.all(polling);
    sums.add(await queryCounters(cli().api, { reset: true }));

    const all = sumOf(alices(), bobs());
    assert.ok(all.up > 4 * transferBytes && all.down > 4 * transferBytes);
    assert.deepEqual(sums.toCounters(), {
      ...expectedCounters("alice", all),
      ...userCounters("alice", sumOf(alices())),
      ...userCounters("bob", sumOf(bobs())),
    });
  });
});

function userCounters(user: string, moved: { readonly up: number; readonly down: number }): Counters {
  const counters = Object.entries(expectedCounters(user, moved));
  return Object.fromEntries(counters.filter(([name]) => name.startsWith("user")));
}
