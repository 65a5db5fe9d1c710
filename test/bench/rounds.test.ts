import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadGenerator } from "./load.js";
import type { Measure } from "./measure.js";
import { toMeasureRecord } from "./record.js";
import { formatMeasure } from "./report.js";
import { carryOutRounds, type RoundsOptions } from "./rounds.js";
import type { ServerKind } from "./servers.js";

// The rounds hand it on, and ask nothing of it.

const load: LoadGenerator = Object.create(null) as LoadGenerator;

/** Servers that stand still, and a measure that knows what each of them takes in each round. */
function staged(values: Readonly<Record<string, readonly number[]>>, { isFresh = false } = {}) {
  const events: string[] = [];
  const ports = new Map<number, string>();
  const servers = Object.keys(values).map((name, index): ServerKind => {
    ports.set(index + 1, name);
    const start = async () => {
      events.push(`start ${name}`);
      const stop = async () => Promise.resolve(void events.push(`stop ${name}`));
      return Promise.resolve({ pid: index + 1, stop });
    };
    return { name, start };
  });
  const taken = new Map<string, number>();
  const measure: Measure = {
    ...{ name: "staged", title: "A measure", servers, roundCount: 3, isFresh },
    metrics: [{ title: "CPU s/GB", digits: 2 }],
    sample: async ({ pid }) => {
      const name = ports.get(pid) ?? "";
      const index = taken.get(name) ?? 0;
      taken.set(name, index + 1);
      events.push(name);
      return Promise.resolve([values[name]?.[index] ?? NaN]);
    },
  };
  return { measure, events };
}

describe("rounds of a measure", () => {
  it("throw the first one away, and compare the first server with the others round by round", async () => {
    const { measure } = staged({ ours: [99, 1, 2, 3], peer: [1, 4, 4, 4] });
    const { servers } = await carryOutRounds(measure, load);
    assert.deepEqual(servers, [
      { name: "ours", samples: [[1], [2], [3]], medians: [2], ratios: [1] },
      { name: "peer", samples: [[4], [4], [4]], medians: [4], ratios: [0.5] },
    ]);
  });

  it("throw away as many as the measure wants, or whoever carries it out", async () => {
    const { measure } = staged({ ours: [9, 8, 7, 1, 2, 3] });
    const samplesOf = async (options: RoundsOptions, { measure: staging = measure } = {}) =>
      (await carryOutRounds({ ...staging, warmUpCount: 3 }, load, options)).servers[0]?.samples;
    assert.deepEqual(await samplesOf({}), [[1], [2], [3]]);
    assert.deepEqual(await samplesOf({ warmUpCount: 0 }, staged({ ours: [9, 8, 7] })), [[9], [8], [7]]);
  });

  it("let another server begin in each, and stop them all in the end", async () => {
    const { measure, events } = staged({ a: [], b: [] });
    await carryOutRounds(measure, load, { roundCount: 2 });
    assert.deepEqual(events, ["start a", "a", "start b", "b", "b", "a", "a", "b", "stop a", "stop b"]);
  });

  it("have a server of its own for each sample where the measure wants that, and nothing to warm up", async () => {
    const { measure, events } = staged({ a: [] }, { isFresh: true });
    await carryOutRounds(measure, load, { roundCount: 2 });
    assert.deepEqual(events, ["start a", "a", "stop a", "start a", "a", "stop a"]);
  });

  it("stop the servers when one fails", async () => {
    const { measure, events } = staged({ a: [] });
    const failing: Measure = { ...measure, sample: async () => Promise.reject(new Error("no answer")) };
    await assert.rejects(carryOutRounds(failing, load), { message: "no answer" });
    assert.deepEqual(events, ["start a", "stop a"]);
  });

  it("leave out who is not installed, and say so", async () => {
    const { measure, events } = staged({ ours: [1, 1, 1, 1], peer: [] });
    const [first, peer] = measure.servers;
    assert.ok(first !== undefined && peer !== undefined);
    const servers = [first, { ...peer, missing: "peer is not installed" }];
    const result = await carryOutRounds({ ...measure, servers }, load);
    assert.ok(!events.includes("start peer"));
    assert.deepEqual(result.missing, ["peer: peer is not installed"]);
    assert.match(formatMeasure(toMeasureRecord(result)), /Left out: peer: peer is not installed\./);
  });

  it("are none where what the measure takes is not installed", async () => {
    const { measure, events } = staged({ ours: [] });
    const result = await carryOutRounds({ ...measure, missing: "the load is not installed" }, load);
    assert.deepEqual(events, []);
    assert.deepEqual(formatMeasure(toMeasureRecord(result)).split("\n"), [
      "### A measure",
      "",
      "Left out: all of it: the load is not installed.",
      "",
    ]);
  });

  it("end when their time is over, behind the first that counts", async () => {
    const { measure } = staged({ ours: [0, 1, 2, 3] });
    let nowMs = 0;
    const now = () => (nowMs += 1_000);
    assert.equal((await carryOutRounds(measure, load, { maxMs: 500, now })).roundCount, 1);
    nowMs = 0;
    assert.equal(
      (await carryOutRounds(staged({ ours: [] }).measure, load, { maxMs: 1_500, now })).roundCount,
      2,
    );
  });
});

describe("a measure's record", () => {
  it("is a table in Markdown, with ours against each other one", async () => {
    const { measure } = staged({ ours: [0, 1, 1, 1], "another peer": [0, 20, 20, 20] });
    const result = await carryOutRounds(
      { ...measure, check: async () => Promise.resolve("Alone: 9 GB/s") },
      load,
    );
    assert.deepEqual(formatMeasure(toMeasureRecord(result)).split("\n"), [
      "### A measure",
      "",
      "| server       | CPU s/GB |  ratio |",
      "| ------------ | -------: | -----: |",
      "| ours         |     1.00 |        |",
      "| another peer |    20.00 | 0.050× |",
      "",
      "`staged`: medians of 3 rounds. Alone: 9 GB/s.",
      "",
    ]);
  });

  it("is the same when it has been JSON", async () => {
    const { measure } = staged({ ours: [0, 1, 1, 1], peer: [0, 2, NaN, 2] });
    const record = toMeasureRecord(await carryOutRounds(measure, load));
    const read: unknown = JSON.parse(JSON.stringify(record));
    assert.deepEqual(read, {
      ...{ name: "staged", title: "A measure", roundCount: 3, missing: [] },
      metrics: [{ title: "CPU s/GB", digits: 2 }],
      servers: [
        { name: "ours", values: [{ median: 1, ratio: 1, samples: [1, 1, 1] }] },
        { name: "peer", values: [{ samples: [2, 2] }] },
      ],
    });
  });

  it("compares nobody in what is about a server alone", async () => {
    const { measure } = staged({ ours: [0, 1, 1, 1], peer: [0, NaN, NaN, NaN] });
    const alone: Measure = { ...measure, metrics: [{ title: "stall", digits: 1, isAlone: true }] };
    assert.deepEqual(
      formatMeasure(toMeasureRecord(await carryOutRounds(alone, load)))
        .split("\n")
        .slice(2, 6),
      ["| server | stall |", "| ------ | ----: |", "| ours   |   1.0 |", "| peer   |     – |"],
    );
  });
});
