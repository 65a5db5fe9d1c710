import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LoopReport } from "../../src/proxy/loop-report.js";
import { RecordingLogger } from "../helpers/recording-logger.js";

describe("LoopReport", () => {
  it("warns of the first client, and mentions the others", () => {
    const logger = new RecordingLogger();
    const report = new LoopReport({ inbound: "in", network: "udp", logger });
    for (const port of [1, 2, 3]) report.add({ host: "::1", port });
    const message = "loop refused: the inbound leads to itself";
    const expected = (["warn", "debug", "debug"] as const).map((level, index) => ({
      ...{ level, message },
      fields: { inbound: "in", network: "udp", source: `[::1]:${index + 1}` },
    }));
    assert.deepEqual(logger.lines, expected);
  });

  it("does without a logger", () => {
    assert.doesNotThrow(() => {
      new LoopReport({ inbound: "in", network: "tcp" }).add({ host: "127.0.0.1", port: 1 });
    });
  });
});
