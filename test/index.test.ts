import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createApp, toConfig } from "../src/index.js";
import { callJson } from "./helpers/api-client.js";
import { firstPort } from "./helpers/first-port.js";
import { closeAfter } from "./helpers/sockets.js";

describe("v2ray-api", () => {
  it("makes an app with the API included", { timeout: 10_000 }, async (t) => {
    const app = createApp(
      toConfig({ experimental: { v2ray_api: { listen: "127.0.0.1:0", stats: { enabled: true } } } }),
    );
    closeAfter(t, app);
    const { api } = await app.start();
    const { status, body } = await callJson(`127.0.0.1:${firstPort(api)}`, "QueryStats");
    assert.deepEqual([status, body], [200, "{}"]);
  });
});
