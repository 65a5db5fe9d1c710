import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { escapeLabel, formatFamily, formatSeries } from "../../../src/rpc/metrics/prometheus-text.js";

describe("formatSeries()", () => {
  const big = 2n ** 63n - 1n;
  for (const { labels, value, line } of [
    { labels: {}, value: 0, line: "a_total 0\n" },
    { labels: {}, value: 0.25, line: "a_total 0.25\n" },
    { labels: {}, value: big, line: "a_total 9223372036854775807\n" },
    { labels: { b: "c", d: "" }, value: 1, line: 'a_total{b="c",d=""} 1\n' },
    { labels: { b: 'say "\\"\n' }, value: 1, line: 'a_total{b="say \\"\\\\\\"\\n"} 1\n' },
  ]) {
    it(`writes ${JSON.stringify(line)}`, () => {
      assert.equal(formatSeries("a_total", labels, value), line);
    });
  }
});

describe("escapeLabel()", () => {
  for (const { text, escaped } of [
    { text: "alice@example.com", escaped: "alice@example.com" },
    { text: "Zoë 🙂", escaped: "Zoë 🙂" },
    { text: "a{b='c'},d", escaped: "a{b='c'},d" },
    { text: '"', escaped: '\\"' },
    { text: "\\", escaped: "\\\\" },
    { text: "\\n", escaped: "\\\\n" },
    { text: "a\nb\n", escaped: "a\\nb\\n" },
    { text: '"} 1\nup 0', escaped: '\\"} 1\\nup 0' },
  ]) {
    it(`makes ${escaped} of ${JSON.stringify(text)}`, () => {
      assert.equal(escapeLabel(text), escaped);
    });
  }
});

describe("formatFamily()", () => {
  it("writes what a family is for and its type, each on one line", () => {
    const family = { name: "a", type: "gauge", help: 'Says "why".' } as const;
    assert.equal(formatFamily(family), '# HELP a Says "why".\n# TYPE a gauge\n');
    const awkward = { ...family, help: "a\\b\nc" };
    assert.equal(formatFamily(awkward), "# HELP a a\\\\b\\nc\n# TYPE a gauge\n");
  });
});
