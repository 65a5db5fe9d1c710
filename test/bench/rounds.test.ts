import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LoadGenerator } from "./load.js";
import type { Measure } from "./measures.js";
import { formatResult, toRecord } from "./report.js";
import { carryOutRounds, median, rotated } from "./rounds.js";
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
      return Promise.resolve({ pid: index + 1, socks: { host: "127.0.0.1", port: 1 }, stop });
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
      { name: "ours", medians: [2], ratios: [1] },
      { name: "peer", medians: [4], ratios: [0.5] },
    ]);
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
    assert.match(formatResult(result), /Left out: peer: peer is not installed\./);
  });
});

describe("the report", () => {
  it("is a table in Markdown, with ours against each other one", async () => {
    const { measure } = staged({ ours: [0, 1, 1, 1], "another peer": [0, 20, 20, 20] });
    const result = await carryOutRounds(
      { ...measure, check: async () => Promise.resolve("alone: 9 GB/s") },
      load,
    );
    assert.deepEqual(formatResult(result).split("\n"), [
      "### A measure",
      "",
      "| server       | CPU s/GB |  ratio |",
      "| ------------ | -------: | -----: |",
      "| ours         |     1.00 |        |",
      "| another peer |    20.00 | 0.050× |",
      "",
      "Medians of 3 rounds. alone: 9 GB/s.",
      "",
    ]);
  });

  it("is JSON for the record", async () => {
    const { measure } = staged({ ours: [0, 1, 1, 1], peer: [0, 2, 2, 2] });
    const { measures } = toRecord([await carryOutRounds(measure, load)]) as {
      readonly measures: readonly unknown[];
    };
    const metrics = (value: number, ratio: number) => [{ title: "CPU s/GB", median: value, ratio }];
    assert.deepEqual(JSON.parse(JSON.stringify(measures)), [
      {
        ...{ name: "staged", title: "A measure", roundCount: 3, missing: [] },
        servers: [
          { name: "ours", metrics: metrics(1, 1) },
          { name: "peer", metrics: metrics(2, 0.5) },
        ],
      },
    ]);
  });
});

describe("median", () => {
  for (const [values, expected] of [
    [[3], 3],
    [[3, 1, 2], 2],
    [[10, 1, 2, 3], 2.5],
    [[], NaN],
  ] as const) {
    it(`of ${JSON.stringify(values)} is ${expected}`, () => {
      assert.equal(median(values), expected);
    });
  }
});

describe("rotated", () => {
  it("begins a list at another place", () => {
    assert.deepEqual(
      [0, 1, 2, 3].map((by) => rotated(["a", "b", "c"], by).join("")),
      ["abc", "bca", "cab", "abc"],
    );
    assert.deepEqual(rotated([], 2), []);
  });
});
