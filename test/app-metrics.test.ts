import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { toConfig } from "../src/config/to-config.js";
import { createApp } from "../src/index.js";
import { readAll } from "./helpers/bytes.js";
import { startDestination } from "./helpers/destination.js";
import { firstPort } from "./helpers/first-port.js";
import { getPage, scrape } from "./helpers/metrics.js";
import { openTunnel } from "./helpers/proxy.js";
import { closeAfter } from "./helpers/sockets.js";
import { closed, failed } from "./helpers/timing.js";

const alice = { username: "alice", password: "a" };

function configWith(metrics: object) {
  return toConfig({
    inbounds: { type: "mixed", tag: "in", listen_port: 0, users: alice },
    outbounds: { type: "direct", tag: "out" },
    experimental: {
      v2ray_api: {
        ...{ listen: "127.0.0.1:0", metrics },
        stats: { enabled: true, inbounds: "*", outbounds: "*", users: "*" },
      },
      limits: { connections: 1 },
    },
  });
}

describe("an app's metrics", { timeout: 10_000 }, () => {
  it("tell of its traffic, of the connections that are open, and of those that its limits refuse", async (t) => {
    const app = createApp(configWith({ prefix: "xray" }));
    closeAfter(t, app);
    const { inbounds, api } = await app.start();
    const [proxy] = inbounds.map(({ address }) => address);
    assert.ok(proxy !== undefined);
    const port = firstPort(api);
    const destination = await startDestination(t);
    const client = await openTunnel(t, {
      ...{ protocol: "socks5", proxy, user: alice },
      destination: destination.endpoint,
    });
    const remote = await destination.accept();
    const refused = connect(proxy);
    closeAfter(t, refused);
    assert.equal((await failed(refused)).code, "ECONNRESET");
    const open = 'v2ray_api_open_connections{network="tcp"}';
    assert.equal((await scrape(port))[open], "1");

    client.end("abc");
    assert.equal((await readAll(remote)).toString(), "abc");
    remote.end("hello");
    assert.equal((await readAll(client)).toString(), "hello");
    await closed(client);
    let series = await scrape(port);
    while (series[open] !== "0") series = await scrape(port);
    for (const [dimension, target] of Object.entries({ inbound: "in", outbound: "out", user: "alice" })) {
      const labels = `{dimension="${dimension}",target="${target}"}`;
      assert.equal(series[`xray_traffic_uplink_bytes_total${labels}`], "3");
      assert.equal(series[`xray_traffic_downlink_bytes_total${labels}`], "5");
    }
    assert.equal(series['v2ray_api_connections_total{network="tcp"}'], "1");
    assert.equal(series['v2ray_api_refused_connections_total{reason="connections"}'], "1");
  });

  it("are not there where the config turns them off", async (t) => {
    const app = createApp(configWith({ enabled: false }));
    closeAfter(t, app);
    const { api } = await app.start();
    assert.equal((await getPage(firstPort(api), "/metrics")).status, 404);
  });
});
