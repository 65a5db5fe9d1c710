import assert from "node:assert/strict";
import type { ServerHttp2Session } from "node:http2";
import { describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { destroyLate } from "../../src/rpc/late-destroy.js";
import { paths, startApi } from "../helpers/api-server.js";
import { preface, requestBlock } from "../helpers/http2-frames.js";
import { http2Frame, openRaw, sendHttp2 } from "../helpers/raw-http.js";

class FakeSession {
  readonly destroyedWith: unknown[] = [];

  destroy(error?: Error, code?: number): void {
    this.destroyedWith.push([error, code]);
  }
}

describe("destroyLate()", () => {
  it("has a session destroyed as it was to be, behind the event", async () => {
    const session = new FakeSession();
    destroyLate(session as unknown as ServerHttp2Session);
    const error = new Error("goodbye");
    session.destroy(error, 2);
    assert.deepEqual(session.destroyedWith, []);
    await nextTurn();
    assert.deepEqual(session.destroyedWith, [[error, 2]]);
  });
});

describe("an API whose client says goodbye with an error and goes on", () => {
  for (const code of [0, 1, 2, 11]) {
    it(`goes on, too: code ${code}`, { timeout: 20_000 }, async (t) => {
      const api = await startApi(t);
      const goaway = http2Frame(0x7, 0, 0, Buffer.of(0, 0, 0, 0, 0, 0, 0, code));
      const call = [http2Frame(0x1, 0x4, 1, requestBlock), http2Frame(0x0, 0x1, 1, Buffer.from("{}"))];
      const raw = await openRaw(t, api.port, Buffer.concat([preface, goaway, ...call]));
      raw.socket.end();
      await raw.closed();
      const headers = { "content-type": "application/json" };
      assert.equal((await sendHttp2(api.port, { path: paths.getSysStats, headers, body: "{}" })).status, 200);
    });
  }
});
