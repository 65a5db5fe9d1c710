import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connectNodeStart, grpcJsStart, ourStart, v2rayStart } from "./starts.js";

describe("the bench's starts", () => {
  for (const kind of [ourStart, grpcJsStart, connectNodeStart, v2rayStart]) {
    const io = { skip: kind.missing, timeout: 20_000 };
    it(`ask ${kind.name} until it answers, and stop it`, io, async () => {
      const server = await kind.start();
      const { pid, firstAnswerMs = NaN } = server;
      assert.ok(firstAnswerMs > 0);
      // A signal 0 asks whether there is such a process.
      assert.equal(process.kill(pid, 0), true);
      await server.stop();
      assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    });
  }
});
