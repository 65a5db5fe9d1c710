import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { AttackedServer } from "./attacked-server.js";
import { attacks } from "./attacks.js";
import { carryOut } from "./run.js";

/** Of a process that has just started it is a third. */
const maxRssBytes = 400 * 2 ** 20;

describe("a server under attack", () => {
  let server: AttackedServer | undefined;

  before(async () => {
    server = await AttackedServer.start(5_000);
  });
  after(async () => server?.[Symbol.asyncDispose]());

  for (const attack of attacks) {
    it(`answers others, within its memory: ${attack.name}`, { timeout: 60_000 }, async () => {
      assert.ok(server !== undefined);
      const { report, goodCount } = await carryOut(attack, server, { durationMs: 200, scale: 0.1 });
      assert.ok(goodCount > 0);
      assert.ok(report.peakRssBytes < maxRssBytes, `${report.peakRssBytes} bytes`);
    });
  }
});
