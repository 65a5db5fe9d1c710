import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { createApp, toConfig, type App, type Endpoint } from "../src/index.js";
import { OwnListeners } from "../src/net/own-listeners.js";
import { readAll } from "./helpers/bytes.js";
import { startDestination } from "./helpers/destination.js";
import { eventually } from "./helpers/eventually.js";
import { firstPort } from "./helpers/first-port.js";
import { readHttpAnswer } from "./helpers/http-client.js";
import { scrape } from "./helpers/metrics.js";
import { askProxy, connectTo, openTunnel, tunnelProtocols } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { startUdpEcho } from "./helpers/udp-echo.js";

const io = { timeout: 20_000 };
const path = "/v2ray.core.app.stats.command.StatsService/QueryStats";
const body = JSON.stringify({ pattern: "", reset: true });
/** Takes every counter back to zero, if it is let in. */
function resetRequest(target: string): string {
  const headers = ["Content-Type: application/json", `Content-Length: ${body.length}`, "Connection: close"];
  return [`POST ${target} HTTP/1.1`, "Host: localhost", ...headers, "", body].join("\r\n");
}

interface Started {
  readonly app: App;
  readonly logger: RecordingLogger;
  readonly proxy: Endpoint;
  readonly forward: Endpoint;
  readonly apiPort: number;
}

/**
 * An app that cannot tell where it connects to, as where a destination leads to this machine by a way that nobody knows of: so
 * what is tried gets past the look at the destination.
 */
async function startBlind(
  t: TestContext,
  { api = {}, service = { host: "192.0.2.1", port: 1 } }: { api?: object; service?: Endpoint } = {},
): Promise<Started> {
  t.mock.method(OwnListeners.prototype, "has", () => false);
  const logger = new RecordingLogger();
  const { host: override_address, port: override_port } = service;
  const app = createApp(
    toConfig({
      inbounds: [
        { type: "mixed", tag: "in", listen_port: 0 },
        { type: "direct", tag: "forward", listen_port: 0, override_address, override_port },
      ],
      experimental: {
        v2ray_api: { listen: "127.0.0.1:0", stats: { enabled: true }, ...api },
      },
    }),
    { logger },
  );
  closeAfter(t, app);
  const addresses = await app.start();
  const [proxy, forward] = addresses.inbounds.map(({ address }) => address);
  assert.ok(proxy !== undefined && forward !== undefined);
  app.store.pair("user", "alice")?.uplink.add(5);
  return { app, logger, proxy, forward, apiPort: firstPort(addresses.api) };
}

function countOf({ app }: Started): bigint | undefined {
  return app.store.pair("user", "alice")?.uplink.value;
}

/** What the client gets after the proxy's answer: the body of one that says no, if anything. */
async function readRest(client: Socket): Promise<string> {
  return readAll(client).then(String, () => "");
}

const refusedSeries = 'v2ray_api_refused_requests_total{reason="own_connection"}';

describe("a client of the proxy that comes to the API by an address nobody knows to be this machine's", () => {
  for (const protocol of tunnelProtocols) {
    it(`is reset when it is accepted, by ${protocol}, and resets nothing`, io, async (t) => {
      const started = await startBlind(t);
      const { proxy, logger, apiPort: port } = started;
      for (let tried = 1; tried <= 5; tried++) {
        const { client } = await askProxy(t, { protocol, proxy, destination: { host: "127.0.0.1", port } });
        client.write(resetRequest(path));
        assert.doesNotMatch(await readRest(client), /HTTP/);
        assert.equal(countOf(started), 5n);
        assert.equal((await scrape(port))[refusedSeries], String(tried));
      }
      const warnings = logger.lines.filter(({ level }) => level === "warn");
      assert.deepEqual(
        warnings.map(({ message }) => message),
        ["refusing clients of the proxy at the V2Ray API: allow_from_proxy is not set"],
      );
    });
  }

  it("is told by plain HTTP that nothing was reached, and resets nothing", io, async (t) => {
    const started = await startBlind(t);
    const { proxy, apiPort: port } = started;
    const client = await connectTo(t, proxy);
    client.write(resetRequest(`http://127.0.0.1:${port}${path}`));
    assert.equal((await readHttpAnswer(client)).status, 502);
    assert.equal(countOf(started), 5n);
    assert.equal((await scrape(port))[refusedSeries], "1");
  });

  it("comes in where the config allows that", io, async (t) => {
    const started = await startBlind(t, { api: { allow_from_proxy: true } });
    const { proxy, apiPort: port } = started;
    const destination = { host: "127.0.0.1", port };
    const client = await openTunnel(t, { protocol: "socks5", proxy, destination });
    client.write(resetRequest(path));
    assert.match(String(await readAll(client)), /^HTTP\/1\.1 200 /);
    assert.equal(countOf(started), 0n);
    assert.equal((await scrape(port))[refusedSeries], "0");
  });

  it("leaves those alone who call from the same machine meanwhile", io, async (t) => {
    const started = await startBlind(t);
    const { proxy, apiPort: port } = started;
    const destination = await startDestination(t);
    await openTunnel(t, { protocol: "socks5", proxy, destination: destination.endpoint });
    await destination.accept();
    const client = await connectTo(t, { host: "127.0.0.1", port });
    client.write(resetRequest(path));
    assert.match(String(await readAll(client)), /^HTTP\/1\.1 200 /);
    assert.equal((await scrape(port))[refusedSeries], "0");
  });
});

describe("a client of the proxy that comes to an inbound by such an address", () => {
  for (const protocol of tunnelProtocols) {
    it(`is reset when it is accepted, by ${protocol}`, io, async (t) => {
      const { proxy, forward, logger } = await startBlind(t);
      for (const { host, port } of [proxy, forward]) {
        const { client } = await askProxy(t, { protocol, proxy, destination: { host, port } });
        client.write("GET http://192.0.2.1/ HTTP/1.1\r\nHost: 192.0.2.1\r\n\r\n");
        assert.doesNotMatch(await readRest(client), /HTTP/);
      }
      const told = logger.lines.filter(({ level }) => level === "warn");
      assert.deepEqual(
        told.map(({ message, fields }) => [message, fields?.["inbound"], fields?.["network"]]),
        ["in", "forward"].map((tag) => ["loop refused: the inbound leads to itself", tag, "tcp"]),
      );
    });
  }

  it("is reset as well if it comes by an outbound of another protocol", io, async (t) => {
    const { app, proxy, logger } = await startBlind(t);
    for (const type of ["socks", "http"]) {
      const outbounds = { type, server: "127.0.0.1", server_port: proxy.port };
      const inbounds = { type: "mixed", tag: "in", listen_port: 0 };
      await app.reload(toConfig({ inbounds, outbounds }));
      const destination = { host: "192.0.2.1", port: 1 };
      const { answer } = await askProxy(t, { protocol: "http", proxy, destination });
      assert.equal(answer, 502);
    }
    const told = logger.lines.filter(({ message }) => message.startsWith("loop refused"));
    assert.equal(told.length, 2);
  });

  it("sends no packets there, while others arrive", io, async (t) => {
    const service = await startUdpEcho(t);
    const { proxy, forward, logger } = await startBlind(t, { service: service.endpoint });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, proxy);
    await client.send("attack", forward);
    await client.send("hello", echo.endpoint);
    assert.equal((await client.receive()).payload.toString(), "hello");
    await eventually(() => {
      const told = logger.lines.filter(({ level }) => level === "warn");
      assert.deepEqual(
        told.map(({ message, fields }) => [message, fields?.["network"]]),
        [["loop refused: the inbound leads to itself", "udp"]],
      );
    });
    assert.deepEqual(service.received, []);
  });
});
