import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createPipe } from "../../src/net/pipe.js";
import { probePeer } from "../../src/net/peer-probe.js";
import { socketPair } from "../helpers/sockets.js";
import { event, failed, turns } from "../helpers/timing.js";

const io = { timeout: 20_000 };

describe("probePeer", () => {
  it("has a socket that is not read from notice a reset", io, async (t) => {
    const { client, server } = await socketPair(t, { pauseOnConnect: true });
    client.write("nobody reads this");
    client.resetAndDestroy();
    await event(client, "close");
    await turns(3);
    assert.equal(server.destroyed, false);
    const failure = failed(server);
    probePeer(server);
    assert.equal((await failure).code, "ECONNRESET");
  });

  it("sends nothing to a peer that is there, and leaves it open", io, async (t) => {
    const { client, server } = await socketPair(t);
    const data = t.mock.fn();
    client.on("data", data);
    for (let probe = 0; probe < 3; probe++) {
      probePeer(server);
      await turns(3);
    }
    assert.equal(data.mock.callCount(), 0);
    assert.equal(server.destroyed, false);
    server.end("last words");
    await event(client, "end");
    assert.deepEqual(
      data.mock.calls.map(({ arguments: [chunk] }) => String(chunk)),
      ["last words"],
    );
  });

  it("leaves alone what is no socket, and what is destroyed", io, async (t) => {
    const [pipe] = createPipe();
    const write = t.mock.method(pipe, "write");
    probePeer(pipe);
    assert.equal(write.mock.callCount(), 0);
    const { server } = await socketPair(t);
    server.destroy();
    probePeer(server);
    await turns(3);
    assert.equal(server.errored, null);
  });
});
