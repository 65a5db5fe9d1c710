import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { closed } from "../../src/net/closed.js";
import { createPipe } from "../../src/net/pipe.js";
import { socketPair } from "../helpers/sockets.js";
import { turns } from "../helpers/timing.js";

const io = { timeout: 10_000 };

describe("closed", () => {
  it("waits for the close of a connection", io, async (t) => {
    const { server } = await socketPair(t);
    let isClosed = false;
    const done = closed(server).then(() => (isClosed = true));
    await turns(5);
    assert.equal(isClosed, false);
    server.destroy();
    await done;
    assert.equal(server.closed, true);
  });

  it("does not wait for one that has closed", io, async (t) => {
    const { server } = await socketPair(t);
    server.destroy();
    await turns(5);
    assert.equal(server.closed, true);
    await closed(server);
  });

  it("lets one that is closing say so first", io, async () => {
    const [pipe] = createPipe();
    const heard: string[] = [];
    pipe.on("close", () => heard.push("close"));
    pipe.destroy();
    while (!pipe.closed) await Promise.resolve();
    await closed(pipe);
    assert.deepEqual(heard, ["close"]);
  });
});
