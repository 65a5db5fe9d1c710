import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bars, formatBars, judge, type Bar } from "./bars.js";
import type { MeasureRecord, ValueRecord } from "./record.js";

function recordOf(ours: ValueRecord, peer: ValueRecord): MeasureRecord {
  return {
    ...{ name: "get", title: "Get", roundCount: 1, missing: [] },
    metrics: [
      { title: "other", digits: 0 },
      { title: "CPU", digits: 1 },
    ],
    servers: [
      { name: "ours", values: [{ samples: [] }, ours] },
      { name: "peer", values: [{ samples: [] }, peer] },
    ],
  };
}

const measures = [
  recordOf({ median: 12, ratio: 1, samples: [12, 13, 11] }, { median: 24, ratio: 0.5, samples: [24] }),
];
const own: Bar = { title: "Own", measure: "get", metric: "CPU" };
const compared: Bar = { ...own, title: "Compared", peer: "peer" };

describe("judge()", () => {
  for (const [bar, value, verdict] of [
    [own, 12, "stated"],
    [{ ...own, atMost: 12 }, 12, "met"],
    [{ ...own, atMost: 11.9 }, 12, "missed"],
    [{ ...own, atMost: 12, isWorst: true }, 13, "missed"],
    [{ ...own, atMost: 13, isWorst: true }, 13, "met"],
    [{ ...compared, atMost: 0.5 }, 0.5, "met"],
    [{ ...compared, atMost: 0.49 }, 0.5, "missed"],
    [{ ...compared, atLeast: 0.5 }, 0.5, "met"],
    [{ ...compared, atLeast: 0.51 }, 0.5, "missed"],
    [{ ...compared, peer: "nobody" }, undefined, "not measured"],
    [{ ...own, metric: "nothing" }, undefined, "not measured"],
    [{ ...own, metric: "other", atMost: 1 }, undefined, "not measured"],
    [{ ...own, metric: "other", atMost: 1, isWorst: true }, undefined, "not measured"],
    [{ ...own, measure: "nothing" }, undefined, "not measured"],
  ] as const) {
    it(`says of ${JSON.stringify(bar)} that it is ${verdict}`, () => {
      assert.deepEqual(judge(bar, measures), { value, verdict });
    });
  }
});

describe("the table of the bars", () => {
  it("has a line for each, with what was measured and what it is to be", () => {
    const start: MeasureRecord = {
      ...{ name: "start", title: "Start", roundCount: 1, missing: [], metrics: [{ title: "ms", digits: 0 }] },
      servers: [
        { name: "v2ray-api run", values: [{ median: 80, ratio: 1, samples: [80] }] },
        { name: "@grpc/grpc-js", values: [{ median: 100, ratio: 0.8, samples: [100] }] },
      ],
    };
    const lines = formatBars({ measures: [start] }).split("\n");
    assert.equal(lines.length, bars.length + 2);
    assert.match(
      lines.at(-1) ?? "",
      /^\| Start to the first answer +\| @grpc\/grpc-js +\| +0.80× \| +≤ 1.00× \| +met \|$/,
    );
    assert.match(
      lines[2] ?? "",
      /^\| Bulk up, CPU +\| V2Ray, all stats +\| +– \| +≤ 0.10× \| not measured \|$/,
    );
  });

  it("holds no bar twice", () => {
    const keys = bars.map(({ measure, metric, peer }) => [measure, metric, peer].join());
    assert.equal(new Set(keys).size, keys.length);
  });
});
