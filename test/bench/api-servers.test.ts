import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import { GrpcClient } from "../helpers/grpc-client.js";
import { apiServers } from "./api-servers.js";
import { queryFor } from "./calls.js";
import { counterNamesOf, hundredth, longTagOf, tagOf } from "./counters.js";
import type { RunningServer } from "./servers.js";

const { getStats, queryStats } = StatsService.method;
const counterCount = 400;
const io = { timeout: 20_000 };

describe("the names of the bench's counters", () => {
  it("have 44 characters on average where memory is measured", () => {
    const lengths = counterNamesOf(longTagOf(499_999)).map(({ length }) => length);
    assert.deepEqual(lengths, [43, 45]);
  });
});

for (const kind of apiServers(counterCount)) {
  describe(`the bench's ${kind.name} with counters`, { skip: kind.missing }, () => {
    let server: RunningServer | undefined;
    before(async () => {
      server = await kind.start();
    }, io);
    after(async () => server?.stop());

    async function call<T>(use: (client: GrpcClient) => Promise<T>): Promise<T> {
      const client = new GrpcClient(`127.0.0.1:${server?.api?.port ?? 0}`);
      try {
        return await use(client);
      } finally {
        client[Symbol.dispose]();
      }
    }
    const namesOf = async (pattern: string, regexp = false): Promise<readonly string[]> =>
      call(async (client) => {
        const { stat } = await client.call(queryStats, queryFor(pattern, regexp));
        return stat.map(({ name }) => name).sort();
      });

    it("has them all", io, async () => {
      const expected = Array.from({ length: counterCount / 2 }, (_, index) => counterNamesOf(tagOf(index)));
      assert.deepEqual(await namesOf("outbound>>>u"), expected.flat().sort());
    });

    it("finds one in a hundred of them", io, async () => {
      const expected = [99, 199].flatMap((index) => counterNamesOf(tagOf(index))).sort();
      assert.deepEqual(await namesOf(hundredth.substring), expected);
      const expressions = server?.lacksRegexp === true ? [] : [hundredth.regexp, hundredth.group];
      for (const regexp of expressions) assert.deepEqual(await namesOf(regexp, true), expected);
    });

    it("resets them in a query", io, async () => {
      const [name] = counterNamesOf(tagOf(7));
      const valueNow = async () =>
        call(async (client) => (await client.call(getStats, { name })).stat?.value);
      const before = await valueNow();
      const { stat } = await call(async (client) => client.call(queryStats, { reset: true }));
      assert.equal(stat.find((each) => each.name === name)?.value, before);
      assert.equal(await valueNow(), 0n);
    });

    it("does what it is told where it is a program of the bench", io, async () => {
      const { order } = server ?? {};
      await order?.({ kind: "watch" });
      const { stall = { wallMs: 0, cpuMs: 0 } } = (await order?.({ kind: "stall" })) ?? {};
      assert.ok(Number.isFinite(stall.wallMs) && Number.isFinite(stall.cpuMs));
      await order?.({ kind: "collect" });
      await order?.({ kind: "fill", count: 4 });
      const expected = order === undefined ? [] : [0, 1].flatMap((index) => counterNamesOf(longTagOf(index)));
      assert.deepEqual(await namesOf("@b"), expected.sort());
    });
  });
}
