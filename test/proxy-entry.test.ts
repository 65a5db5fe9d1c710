import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as full from "../src/index.js";
import * as entry from "../src/proxy-entry.js";
import { readAll } from "./helpers/bytes.js";
import { startDestination } from "./helpers/destination.js";
import { openTunnel } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { closed } from "./helpers/timing.js";

const io = { timeout: 10_000 };
const stats = { enabled: true, inbounds: "in", outbounds: "direct", users: "alice" };
const alice = { username: "alice", password: "secret" };
const inbound = { type: "mixed", tag: "in", listen_port: 0, users: alice };

describe("v2ray-api/proxy", () => {
  it("makes an app that runs without the API and counts into its store", io, async (t) => {
    const logger = new RecordingLogger();
    const config = entry.toConfig({ inbounds: inbound, experimental: { v2ray_api: { stats } } });
    const app = entry.createApp(config, { logger });
    closeAfter(t, app);
    const { inbounds, api } = await app.start();
    assert.deepEqual(api, []);
    const [{ address: proxy } = assert.fail("there is no inbound")] = inbounds;
    const destination = await startDestination(t);
    const client = await openTunnel(t, {
      protocol: "socks5",
      proxy,
      destination: destination.endpoint,
      user: alice,
    });
    const remote = await destination.accept();
    client.end("abc");
    assert.equal((await readAll(remote)).toString(), "abc");
    remote.end("hello");
    assert.equal((await readAll(client)).toString(), "hello");
    await closed(client);
    await app.stop(new AbortController().signal);
    assert.deepEqual(
      [...app.store.query(() => true)].map(({ name, counter }) => [name, counter.value]),
      ["inbound>>>in", "outbound>>>direct", "user>>>alice"].flatMap((subject) => [
        [`${subject}>>>traffic>>>uplink`, 3n],
        [`${subject}>>>traffic>>>downlink`, 5n],
      ]),
    );
    assert.deepEqual(logger.messages("info"), ["connection closed"]);
  });

  for (const experimental of [
    {},
    { v2ray_api: { listen: "" } },
    { v2ray_api: { stats: { enabled: true } } },
  ]) {
    it(`makes an app of ${JSON.stringify({ experimental })}`, io, async (t) => {
      const app = entry.createApp(entry.toConfig({ experimental }));
      closeAfter(t, app);
      assert.deepEqual(await app.start(), { inbounds: [], api: [] });
    });
  }

  it("refuses a config that says where the API listens, and names what to import instead", () => {
    const config = entry.toConfig({
      inbounds: inbound,
      experimental: { v2ray_api: { listen: "127.0.0.1:0", stats } },
    });
    assert.throws(
      () => entry.createApp(config),
      (error) => {
        assert.ok(error instanceof entry.ApiNotIncludedError && error instanceof Error);
        assert.equal(error.name, "ApiNotIncludedError");
        assert.equal(error.code, "API_NOT_INCLUDED");
        assert.equal(
          error.message,
          'v2ray api is not included in this build: "experimental.v2ray_api.listen" is set; ' +
            'import { createApp } from "v2ray-api" instead of "v2ray-api/proxy", or remove it',
        );
        return true;
      },
    );
  });

  it("has nothing that v2ray-api has not, but for the error of its own and its createApp", () => {
    const { ApiNotIncludedError, createApp, ...shared } = entry;
    assert.equal("ApiNotIncludedError" in full, false);
    assert.notEqual(createApp, full.createApp);
    assert.equal(ApiNotIncludedError.name, "ApiNotIncludedError");
    const fullByName: Readonly<Record<string, unknown>> = full;
    assert.ok(Object.keys(shared).length > 5);
    for (const [name, value] of Object.entries(shared)) assert.equal(value, fullByName[name], name);
  });
});
