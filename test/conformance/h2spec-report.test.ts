import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { casesWith, countPassed, parseReport, passedOnlyBy } from "./h2spec-report.js";

const text = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="5.1. Stream States" package="http2/5.1" id="5.1" tests="3" skipped="1" failures="0" errors="1">
    <testcase package="http2/5.1" classname="idle: Sends a DATA frame" time="0.0034"></testcase>
    <testcase package="http2/5.1" classname="closed: Sends a &#34;DATA&#34; frame" time="2.0034">
      <error>GOAWAY Frame (Error Code: STREAM_CLOSED)
Timeout, opaque_data:h2spec\0\0 <not XML></error>
    </testcase>
    <testcase package="http2/5.1" classname="idle: Sends a DATA frame" time="0.0034">
      <skipped></skipped>
    </testcase>
  </testsuite>
  <testsuite name="6. Representation" package="hpack/6" id="6" tests="1" skipped="0" failures="1" errors="0">
    <testcase package="hpack/6" classname="Sends a header" time="2.0034">
      <failure>Expect:</failure>
    </testcase>
  </testsuite>
</testsuites>`;

const first = "http2/5.1/1 idle: Sends a DATA frame";
const second = "http2/5.1/2 closed: Sends a &#34;DATA&#34; frame";
const third = "http2/5.1/3 idle: Sends a DATA frame";
const fourth = "hpack/6/1 Sends a header";

describe("a report of h2spec", () => {
  it("names each case as h2spec is told to run it, with its title and what became of it", () => {
    assert.deepEqual(Array.from(parseReport(text)), [
      [first, "passed"],
      [second, "failed"],
      [third, "skipped"],
      [fourth, "failed"],
    ]);
  });

  it("counts what passed, and nothing else", () => {
    assert.equal(countPassed(parseReport(text)), 1);
    assert.deepEqual(casesWith(parseReport(text), "failed"), [second, fourth]);
  });

  it("is empty if there is nothing in it", () => {
    assert.equal(parseReport("").size, 0);
  });
});

describe("passedOnlyBy()", () => {
  it("names what one passes and the other fails, skips or does not know", () => {
    const server = new Map([first, second, third, fourth].map((name) => [name, "passed"] as const));
    assert.deepEqual(passedOnlyBy(server, parseReport(text)), [second, third, fourth]);
    assert.deepEqual(passedOnlyBy(server, new Map([[first, "passed"]])), [second, third, fourth]);
  });

  it("leaves out what neither passes, and what only the other does", () => {
    const server = new Map([[first, "failed"] as const]);
    assert.deepEqual(passedOnlyBy(server, parseReport(text)), []);
  });
});
