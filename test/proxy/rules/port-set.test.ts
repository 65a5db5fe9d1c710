import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePortRange, PortSet, type PortSetOptions } from "../../../src/proxy/rules/port-set.js";

describe("parsePortRange", () => {
  const cases: readonly (readonly [text: string, first: number, last: number])[] = [
    ["1000:2000", 1000, 2000],
    [":3000", 0, 3000],
    ["4000:", 4000, 65_535],
    ["80:80", 80, 80],
    ["0:0", 0, 0],
    ["0:", 0, 65_535],
    [":65535", 0, 65_535],
    ["00080:090", 80, 90],
  ];
  for (const [text, first, last] of cases) {
    it(`reads ${text}`, () => {
      assert.deepEqual(parsePortRange(text), { first, last });
    });
  }

  const malformed = [
    ...["", ":", "::", "80", "2000:1000", "1:0", "65536:", ":65536", "0:70000", "100000:", "1:2:3", "-1:5"],
    ...[
      "1-2",
      "1:-2",
      " 1:2",
      "1 :2",
      "1:2 ",
      "1:2\n",
      "a:b",
      "1:b",
      "0x1:2",
      "1e1:20",
      "1.5:2",
      "+1:2",
      "１:２",
    ],
  ];
  for (const text of malformed) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      assert.equal(parsePortRange(text), undefined);
    });
  }
});

describe("PortSet", () => {
  const ports = [0, 1, 79, 80, 81, 442, 443, 999, 1000, 1500, 2000, 2001, 4000, 65_534, 65_535];
  const cases: readonly (readonly [options: PortSetOptions, inside: readonly number[]])[] = [
    [{}, []],
    [{ ports: [], ranges: [] }, []],
    [{ ports: undefined, ranges: undefined }, []],
    [{ ports: [80] }, [80]],
    [{ ports: [0, 443, 65_535] }, [0, 443, 65_535]],
    [{ ranges: ["1000:2000"] }, [1000, 1500, 2000]],
    [{ ranges: [":80"] }, [0, 1, 79, 80]],
    [{ ranges: ["4000:"] }, [4000, 65_534, 65_535]],
    [{ ranges: ["80:80", "442:443"] }, [80, 442, 443]],
    [{ ports: [80, 1500], ranges: ["1000:2000", "65535:"] }, [80, 1000, 1500, 2000, 65_535]],
  ];
  for (const [options, inside] of cases) {
    it(`of ${JSON.stringify(options)} has ${JSON.stringify(inside)}`, () => {
      const set = new PortSet(options);
      assert.deepEqual(
        ports.filter((port) => set.has(port)),
        inside,
      );
    });
  }

  it("names a range that it cannot read", () => {
    assert.throws(() => new PortSet({ ranges: ["1:2", "2:1"] }), {
      name: "RangeError",
      message: 'expected a port range, got "2:1"',
    });
  });
});
