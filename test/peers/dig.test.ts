import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { App } from "../../src/app.js";
import { toConfig } from "../../src/config/to-config.js";
import { startDnsServer, type DnsServer } from "../helpers/dns-server.js";
import { eventually } from "../helpers/eventually.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { closeAfter } from "../helpers/sockets.js";
import { countersAfter, countersOf, type TestApp } from "../helpers/test-app.js";

const io = { timeout: 30_000 };

/** An app whose only inbound leads to a DNS server. */
async function startMeter(t: TestContext, { endpoint: { host, port } }: DnsServer): Promise<TestApp> {
  const config = toConfig({
    inbounds: { type: "direct", tag: "in", listen_port: 0, override_address: host, override_port: port },
    outbounds: { type: "direct", tag: "out" },
    experimental: { v2ray_api: { stats: { enabled: true, inbounds: "in", outbounds: "out" } } },
  });
  const app = new App(config, { createApiServer: () => assert.fail("there is no API") });
  closeAfter(t, app);
  const [inbound] = (await app.start()).inbounds;
  assert.ok(inbound !== undefined);
  return { app, proxy: inbound.address };
}

async function dig({ proxy }: TestApp, name: string, ...options: readonly string[]): Promise<string> {
  const args = [`@${proxy.host}`, "-p", `${proxy.port}`, name, "A", "+short", "+tries=1", "+time=9"];
  const { code, stdout, stderr } = await runProgram("dig", [...args, ...options]);
  assert.equal(code, 0, stderr + stdout);
  return stdout;
}

describe("dig through a direct inbound", needs("dig"), () => {
  for (const [network, options] of [
    ["UDP", ["+notcp"]],
    ["TCP", ["+tcp"]],
  ] as const) {
    it(`is answered over ${network}, and every byte is counted`, io, async (t) => {
      const server = await startDnsServer(t, "192.0.2.53");
      const app = await startMeter(t, server);
      for (const name of ["a.example", "a-longer-name.example"]) {
        assert.equal(await dig(app, name, ...options), "192.0.2.53\n");
      }
      assert.equal(server.askedCount, 2);
      assert.ok(server.moved.up > 40 && server.moved.down > server.moved.up / 2);
      await eventually(() => {
        assert.deepEqual(countersOf(app), countersAfter(undefined, server.moved));
      });
    });
  }

  it("is one connection for each port that it asks from", io, async (t) => {
    const server = await startDnsServer(t, "192.0.2.53");
    const app = await startMeter(t, server);
    await dig(app, "one.example", "+notcp");
    await dig(app, "two.example", "+notcp");
    const open = app.app.connections.list();
    assert.deepEqual(
      open.map(({ metadata: { network, destination } }) => ({ network, destination })),
      [1, 2].map(() => ({ network: "udp", destination: server.endpoint })),
    );
    assert.equal(
      open.reduce((sum, { uplinkBytes }) => sum + uplinkBytes, 0),
      server.moved.up,
    );
  });
});
