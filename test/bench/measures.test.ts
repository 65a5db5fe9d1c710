import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { LoadGenerator } from "./load.js";
import { bars } from "./bars.js";
import { createMeasures } from "./measures.js";
import { toMeasureRecord } from "./record.js";
import { carryOutRounds } from "./rounds.js";

describe("the bench's measures", () => {
  let load: LoadGenerator | undefined;
  before(async () => {
    load = await LoadGenerator.start();
  });
  after(() => {
    load?.[Symbol.dispose]();
  });

  for (const measure of createMeasures(0.001)) {
    const io = { skip: measure.missing, timeout: 60_000 };
    it(`come to a figure for each metric: ${measure.name}`, io, async () => {
      assert.ok(load !== undefined);
      // Of the others, the one that starts soonest: all of them have tests of their own.
      const servers = [...measure.servers.slice(0, 1), ...measure.servers.slice(1).slice(-1)];
      const result = await carryOutRounds({ ...measure, servers }, load, { roundCount: 1, warmUpCount: 0 });
      const [ours] = toMeasureRecord(result).servers;
      assert.equal(ours?.name, measure.servers[0]?.name);
      assert.deepEqual(
        ours?.values.map(({ samples }) => samples.length),
        measure.metrics.map(() => 1),
      );
    });
  }

  it("have names of their own", () => {
    const names = createMeasures().map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  });

  it("are what the bars are about, with the servers and metrics that those name", () => {
    const measures = new Map(createMeasures().map((measure) => [measure.name, measure]));
    for (const { measure, metric, peer, title } of bars) {
      const { metrics = [], servers = [] } = measures.get(measure) ?? {};
      const found = metrics.find((each) => each.title === metric);
      assert.ok(found !== undefined, title);
      if (peer !== undefined)
        assert.ok(found.isAlone !== true && servers.some(({ name }) => name === peer), title);
    }
  });
});
