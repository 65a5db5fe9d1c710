import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { App } from "../src/app.js";
import { toConfig } from "../src/config/to-config.js";
import type { Endpoint } from "../src/net/endpoint.js";
import { StartError } from "../src/parts/start-error.js";
import { startDestination } from "./helpers/destination.js";
import { endingOf } from "./helpers/ending.js";
import { eventually } from "./helpers/eventually.js";
import { askHttp, basicLogin, connectHead, readHttpAnswer } from "./helpers/http-client.js";
import { askProxy, connectTo, proxyProtocols } from "./helpers/proxy.js";
import { usersOf } from "./helpers/proxy-ways.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter } from "./helpers/sockets.js";
import { socks5Greeting, socks5Login, socks5Request } from "./helpers/socks5-client.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { hearSocks5, serveSocks5, socks5Reply } from "./helpers/socks5-upstream.js";
import { createTempDir } from "./helpers/temp-dir.js";
import { assertMoved, countersOf, startTestApp } from "./helpers/test-app.js";
import { closed, turns, until } from "./helpers/timing.js";
import { failOnUnhandled } from "./helpers/unhandled.js";

const io = { timeout: 20_000 };
const nothing = { up: 0, down: 0 };
const destination: Endpoint = { host: "example.com", port: 443 };

/** Resolves when the connection has ended in order on both sides. */
async function endInOrder(client: Socket): Promise<void> {
  const ending = endingOf(client.resume());
  client.end();
  assert.notEqual(await ending, "reset");
  await closed(client);
}

describe("a client that is gone while an upstream proxy is asked", () => {
  failOnUnhandled();
  const [user] = usersOf("socks5");
  assert.ok(user !== undefined);
  const heads = {
    socks5: Buffer.concat([
      socks5Greeting(2),
      socks5Login(user.username, user.password),
      socks5Request(destination),
    ]),
    http: connectHead("example.com:443", basicLogin(user)),
  };
  for (const type of ["socks", "http"]) {
    for (const protocol of proxyProtocols) {
      it(`in ${protocol} resets the connection to one of type ${type}`, io, async (t) => {
        const logger = new RecordingLogger();
        const upstream = await startDestination(t);
        const { host: server, port } = upstream.endpoint;
        const outbound = { type, server, server_port: port };
        const app = await startTestApp(t, { users: [user], outbound, logger });
        const client = await connectTo(t, app.proxy);
        client.write(heads[protocol]);
        const peer = await upstream.accept();
        if (type === "socks") await hearSocks5(peer);
        else await readHttpAnswer(peer);
        const ending = endingOf(peer.resume());
        client.resetAndDestroy();
        assert.equal(await ending, "reset");
        await assertMoved(app, user, () => nothing);
        assert.deepEqual([...logger.messages("warn"), ...logger.messages("error")], []);
      });
    }
  }
});

describe("an outbound of type socks for one network only", () => {
  failOnUnhandled();

  for (const protocol of proxyProtocols) {
    const expected = { socks5: 2, http: 403 }[protocol];
    it(
      `answers ${protocol} with ${expected} where it carries no TCP, and neither dials nor counts`,
      io,
      async (t) => {
        const upstream = await startDestination(t);
        const { host: server, port } = upstream.endpoint;
        const outbound = { type: "socks", server, server_port: port, network: "udp" };
        const logger = new RecordingLogger();
        const app = await startTestApp(t, { outbound, logger });
        const { client, answer } = await askProxy(t, { protocol, proxy: app.proxy, destination });
        assert.equal(answer, expected);
        await endInOrder(client);
        assert.equal(upstream.acceptedCount, 0);
        assert.deepEqual(countersOf(app), {});
        assert.deepEqual(logger.messages("info"), ["connection blocked"]);
      },
    );
  }

  it("drops packets where it carries no UDP, and dials nobody", io, async (t) => {
    const logger = new RecordingLogger();
    const upstream = await startDestination(t);
    const { host: server, port } = upstream.endpoint;
    const outbound = { type: "socks", server, server_port: port, network: ["tcp"] };
    const app = await startTestApp(t, { outbound, logger });
    const client = await associateSocks5(t, app.proxy);
    await client.send("lost", destination);
    await eventually(() => {
      assert.deepEqual(logger.messages("info"), ["packet dropped"]);
    });
    assert.equal(upstream.acceptedCount, 0);
    await client.close();
  });

  it("says so where the upstream refuses an association, and the client's goes on", io, async (t) => {
    const upstream = await startDestination(t);
    const { host: server, port } = upstream.endpoint;
    const logger = new RecordingLogger();
    const app = await startTestApp(t, { outbound: { type: "socks", server, server_port: port }, logger });
    const client = await associateSocks5(t, app.proxy);
    await client.send("lost", destination);
    const peer = await upstream.accept();
    await serveSocks5(peer, { reply: socks5Reply(7) });
    await closed(peer.resume());
    await until(() => app.app.connections.size === 0);
    assert.match(logger.failures().join(), /^send packets through SOCKS server /);
    assert.equal(client.control.readableEnded, false);
  });
});

describe("connect_timeout of an outbound of type direct", () => {
  it("bounds its dial", io, async (t) => {
    const logger = new RecordingLogger();
    const app = await startTestApp(t, { outbound: { type: "direct", connect_timeout: "40ms" }, logger });
    const client = await connectTo(t, app.proxy);
    // From here on nobody answers.
    t.mock.method(Socket.prototype, "connect", function connect(this: Socket) {
      return this;
    });
    assert.equal((await askHttp(client, { host: "192.0.2.1", port: 80 })).status, 504);
    assert.match(logger.failures().join(), /connect to 192\.0\.2\.1:80: no answer within 40 ms/);
    await endInOrder(client);
  });
});

describe("App.start with certificates for an outbound", () => {
  /** An app that listens once before it comes to them. */
  function build(t: TestContext, tls: object): App {
    const config = toConfig({
      inbounds: { type: "mixed", tag: "in", listen_port: 0 },
      outbounds: [{ type: "direct" }, { type: "http", tag: "secure", server: "a", server_port: 1, tls }],
    });
    const app = new App(config, { createApiServer: () => assert.fail("there is no API") });
    closeAfter(t, app);
    return app;
  }

  it("fails if they cannot be read, says which outbound's, and leaves nothing open", io, async (t) => {
    const path = createTempDir(t).join("ca.pem");
    const app = build(t, { enabled: true, certificate_path: path });
    await assert.rejects(app.start(), ({ name, message }: Error) => {
      assert.equal(name, StartError.name);
      const begin = `outbound secure: cannot read certificates from ${JSON.stringify(path)}: ENOENT`;
      assert.ok(message.startsWith(begin), message);
      return true;
    });
    await turns(5);
  });

  it("does not read them where TLS is off", io, async (t) => {
    const app = build(t, { enabled: false, certificate_path: createTempDir(t).join("ca.pem") });
    assert.equal((await app.start()).inbounds.length, 1);
  });
});
