import assert from "node:assert/strict";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, it, type TestContext } from "node:test";
import { createApp, formatEndpoint, toConfig, type App, type Endpoint } from "../src/index.js";
import { startDestination } from "./helpers/destination.js";
import { eventually } from "./helpers/eventually.js";
import { firstPort } from "./helpers/first-port.js";
import { readHttpAnswer } from "./helpers/http-client.js";
import { scrape } from "./helpers/metrics.js";
import { askProxy, connectTo, granted, openTunnel, tunnelProtocols } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { associateSocks5, socks5Packet } from "./helpers/socks5-udp-client.js";
import { event } from "./helpers/timing.js";
import { startUdpEcho } from "./helpers/udp-echo.js";
import { openUdpPeer } from "./helpers/udp-peer.js";

const io = { timeout: 20_000 };
/** What a client of each protocol is told of a blocked destination. */
const blocked = { socks4: 0x5b, socks5: 2, http: 403 } as const;
const outside = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .filter(({ internal, scopeid }) => !internal && !scopeid)
  .map(({ address }) => address);
/** All that leads to this machine; the last of the names are addresses to whoever resolves them. */
const hosts = [
  ...[
    "127.0.0.1",
    "127.0.0.2",
    "0.0.0.0",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:0.0.0.0",
  ],
  ...["localhost", "LOCALHOST", "127.1", "2130706433", "0x7f.1", "0"],
  ...outside,
];

interface Started {
  readonly app: App;
  readonly logger: RecordingLogger;
  readonly proxy: Endpoint;
  /** What a direct inbound listens on, for TCP and UDP. */
  readonly forward: Endpoint;
  readonly apiPort: number;
}

const proxyConfig = { type: "mixed", tag: "in", listen_port: 0 };
const forwardTo = ({ host, port }: Endpoint) => ({
  ...{ type: "direct", tag: "forward", listen_port: 0, override_address: host, override_port: port },
});
const stats = { enabled: true, inbounds: "*", outbounds: "*" };

/** An app with a proxy, a forwarded port and an API. */
async function start(
  t: TestContext,
  api: object = {},
  service = { host: "192.0.2.1", port: 1 },
): Promise<Started> {
  const logger = new RecordingLogger();
  const v2ray_api = { listen: "127.0.0.1:0", stats, ...api };
  const inbounds = [proxyConfig, forwardTo(service)];
  const app = createApp(toConfig({ inbounds, experimental: { v2ray_api } }), { logger });
  closeAfter(t, app);
  const addresses = await app.start();
  const [proxy, forward] = addresses.inbounds.map(({ address }) => address);
  assert.ok(proxy !== undefined && forward !== undefined);
  return { app, logger, proxy, forward, apiPort: firstPort(addresses.api) };
}

function countsOf({ app }: Started): unknown {
  return [...app.store.query(() => true)].map(({ name, counter }) => [name, counter.value]);
}

describe("a client of the proxy that wants to reach the API through it", () => {
  for (const protocol of tunnelProtocols) {
    it(`is told that it is blocked, by ${protocol}, whatever it calls this machine`, io, async (t) => {
      const started = await start(t);
      const { proxy, logger, apiPort: port } = started;
      for (const host of hosts) {
        const { client, answer } = await askProxy(t, { protocol, proxy, destination: { host, port } });
        assert.equal(answer, blocked[protocol], host);
        client.destroy();
      }
      await eventually(() => {
        const lines = logger.lines.filter(({ level }) => level === "info");
        assert.deepEqual(new Set(lines.map(({ message }) => message)), new Set(["connection blocked"]));
        assert.equal(lines.length, hosts.length);
        for (const { fields } of lines) {
          assert.match(String(fields?.["reason"]), /^connect to .*: the proxy itself listens on .*:\d+$/);
        }
      });
      for (const [name, value] of countsOf(started) as [string, bigint][]) assert.equal(value, 0n, name);
    });
  }

  it("is told so by plain HTTP, and the page is not read", io, async (t) => {
    const { proxy, apiPort: port } = await start(t);
    for (const host of hosts) {
      const target = formatEndpoint({ host, port });
      const client = await connectTo(t, proxy);
      client.write(`GET http://${target}/metrics HTTP/1.1\r\nHost: ${target}\r\nConnection: close\r\n\r\n`);
      assert.equal((await readHttpAnswer(client)).status, 403, host);
      client.destroy();
    }
  });

  for (const protocol of tunnelProtocols) {
    it(`does reach it where the config allows that, by ${protocol}`, io, async (t) => {
      const { proxy, apiPort: port } = await start(t, { allow_from_proxy: true });
      for (const host of ["127.0.0.1", "localhost"]) {
        await openTunnel(t, { protocol, proxy, destination: { host, port } });
      }
    });
  }

  it("is kept out, or let in, from a reload on that says so", io, async (t) => {
    const { app, proxy, apiPort: port } = await start(t);
    const config = (api: object) => {
      const v2ray_api = { listen: `127.0.0.1:${port}`, stats, ...api };
      const inbounds = [proxyConfig, forwardTo({ host: "192.0.2.1", port: 1 })];
      return toConfig({ inbounds, experimental: { v2ray_api } });
    };
    const ask = async () => {
      const options = { protocol: "socks5", proxy, destination: { host: "127.0.0.1", port } } as const;
      const { client, answer } = await askProxy(t, options);
      client.destroy();
      return answer;
    };
    assert.equal(await ask(), blocked.socks5);
    await app.reload(config({ allow_from_proxy: true }));
    assert.equal(await ask(), granted.socks5);
    await app.reload(config({}));
    assert.equal(await ask(), blocked.socks5);
    await app.reload(config({ listen: "" }));
    const another = createServer((socket) => socket.destroy());
    closeAfter(t, another);
    another.listen(port, "127.0.0.1");
    await event(another, "listening");
    assert.equal(await ask(), granted.socks5);
  });
});

describe("a client of the proxy that wants to reach another inbound through it", () => {
  for (const protocol of tunnelProtocols) {
    it(`is told that it is blocked, by ${protocol}`, io, async (t) => {
      const { proxy, forward } = await start(t);
      for (const { port } of [proxy, forward]) {
        const { answer } = await askProxy(t, { protocol, proxy, destination: { host: "localhost", port } });
        assert.equal(answer, blocked[protocol]);
      }
    });
  }

  it(
    "does not run in a circle where the config leads it back through another proxy's protocol",
    io,
    async (t) => {
      const { app, proxy, logger } = await start(t);
      for (const [type, answers] of Object.entries({
        socks: { socks4: 0x5b, socks5: 1, http: 502 },
        http: { socks4: 0x5b, socks5: 1, http: 502 },
      })) {
        const outbounds = { type, server: "localhost", server_port: proxy.port };
        await app.reload(toConfig({ inbounds: proxyConfig, outbounds }));
        for (const protocol of tunnelProtocols) {
          const destination = { host: "192.0.2.1", port: 1 };
          const { client, answer } = await askProxy(t, { protocol, proxy, destination });
          assert.equal(answer, answers[protocol]);
          client.destroy();
        }
      }
      await eventually(() => {
        assert.equal(logger.failures().length, 2 * tunnelProtocols.length);
        for (const failure of logger.failures()) assert.match(failure, /: the proxy itself listens on /);
      });
    },
  );

  it("reaches every other listener of this machine", io, async (t) => {
    const { proxy, apiPort } = await start(t);
    const destination = await startDestination(t);
    for (const protocol of tunnelProtocols) {
      const { host, port } = destination.endpoint;
      for (const name of [host, "localhost"]) {
        await openTunnel(t, { protocol, proxy, destination: { host: name, port } });
        (await destination.accept()).destroy();
      }
    }
    await scrape(apiPort);
  });

  it("sends no packets there, whatever it calls this machine, while others arrive", io, async (t) => {
    const service = await startUdpEcho(t);
    const { app, proxy, forward, logger } = await start(t, {}, service.endpoint);
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy);
    for (const host of hosts) await client.send("attack", { host, port: forward.port });
    await client.send("hello", echo.endpoint);
    assert.equal((await client.receive()).payload.toString(), "hello");
    // All names have been resolved when their packets have been dropped.
    await eventually(() => {
      const dropped = logger.lines.filter(({ message }) => message === "packet dropped");
      assert.equal(dropped.length, hosts.length);
      for (const { fields } of dropped)
        assert.match(String(fields?.["reason"]), /^the proxy itself listens on /);
    });
    assert.deepEqual(service.received, []);
    assert.equal(app.connections.tallies.udp.opened, 1);
  });

  it("sends no packets into another client's association", io, async (t) => {
    const { proxy } = await start(t);
    const victim = await associateSocks5(t, proxy);
    const attacker = await associateSocks5(t, proxy);
    const [peer, echo] = [await openUdpPeer(t), await startUdpEcho(t)];
    await attacker.send(socks5Packet("in your name", peer.local), victim.relay);
    await attacker.send("hello", echo.endpoint);
    assert.equal((await attacker.receive()).payload.toString(), "hello");
    await victim.send("mine", echo.endpoint);
    assert.equal((await victim.receive()).payload.toString(), "mine");
    assert.equal(peer.waitingCount, 0);
  });
});
