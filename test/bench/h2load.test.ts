import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { needs } from "../helpers/outside-client.js";
import { addressOf, closeAfter } from "../helpers/sockets.js";
import { createCallResponder } from "./call-responder.js";
import { parseH2load, runH2load } from "./h2load.js";

const printed = `
finished in 101.50ms, 1970.44 req/s, 195.02KB/s
requests: 200 total, 200 started, 200 done, 199 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 200 2xx, 0 3xx, 0 4xx, 0 5xx
`;

describe("h2load", () => {
  it("is read", () => {
    assert.deepEqual(parseH2load(printed), { callsPerSecond: 1970.44, succeededCount: 199 });
    assert.deepEqual(parseH2load(""), { callsPerSecond: NaN, succeededCount: 0 });
  });

  it("makes calls and tells how many a second", { ...needs("h2load"), timeout: 20_000 }, async (t) => {
    const server = createCallResponder();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closeAfter(t, { [Symbol.asyncDispose]: async () => Promise.resolve(void server.close()) });
    const api = { host: "127.0.0.1", port: addressOf(server).port };
    const call = { path: "/a.Service/Call", message: "" };
    const callsPerSecond = await runH2load({ api, call, count: 20, connections: 2, streams: 4 });
    assert.ok(callsPerSecond > 0);
  });
});
