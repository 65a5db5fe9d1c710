import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { readAll } from "./helpers/bytes.js";
import { readHttpAnswer } from "./helpers/http-client.js";
import { askProxy, connectTo, tunnelProtocols } from "./helpers/proxy.js";
import { startReloadedApp } from "./helpers/reloaded-app.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { failed, turns, until } from "./helpers/timing.js";

// The defaults of all of these are longer, so that a test in which they hold fails by its timeout.
const io = { timeout: 10_000 };

function withTimeouts(timeouts: object, inbound: object = {}): object {
  return {
    inbounds: { type: "mixed", tag: "in", listen_port: 0, ...inbound },
    outbounds: [{ type: "direct" }, { type: "block", tag: "no" }],
    experimental: { timeouts },
  };
}

describe("experimental.timeouts of an app", () => {
  const unfinished = ["", "\x05", "\x04\x01", "CONNECT a.test:443 HTTP/1.1\r\n"];
  for (const sent of unfinished) {
    it(`handshake: ends who says no more than ${JSON.stringify(sent)}`, io, async (t) => {
      const app = await startReloadedApp(t, withTimeouts({ handshake: "30ms" }));
      const client = await connectTo(t, app.proxyOf("in"));
      client.write(sent);
      await readAll(client);
    });
  }

  it("handshake: is another one for clients that come after a reload", io, async (t) => {
    const app = await startReloadedApp(t, withTimeouts({ handshake: "1h" }));
    // One that is served by the time of before: what watches it must not be all that there is.
    const before = await connectTo(t, app.proxyOf("in"));
    before.write("GET /no-proxy-request HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert.equal((await readHttpAnswer(before)).status, 400);
    await app.reload(withTimeouts({ handshake: "30ms" }));
    for (const sent of unfinished) {
      const client = await connectTo(t, app.proxyOf("in"));
      client.write(sent);
      await readAll(client);
    }
    assert.deepEqual(app.reported, {
      added: undefined,
      changed: "experimental.timeouts",
      removed: undefined,
    });
  });

  it("http_keep_alive: ends a client that rests after its answer", io, async (t) => {
    const app = await startReloadedApp(t, withTimeouts({ http_keep_alive: "30ms" }));
    const client = await connectTo(t, app.proxyOf("in"));
    client.write("GET /no-proxy-request HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert.equal((await readHttpAnswer(client)).status, 400);
    await readAll(client);
  });

  it("idle: cuts a tunnel on which nothing moves", io, async (t) => {
    const hour = 3_600_000;
    let nowMs = 0;
    t.mock.timers.enable({ apis: ["setInterval"] });
    t.mock.method(performance, "now", () => nowMs);
    const app = await startReloadedApp(t, withTimeouts({ idle: "1h" }));
    const tunnel = await app.open("in");
    await tunnel.assertAlive();
    for (const passedMs of [hour / 8, hour]) {
      nowMs += passedMs;
      t.mock.timers.tick(passedMs);
    }
    await tunnel.assertCut();
    await until(() => app.app.connections.size === 0);
  });

  it("idle: is never by default, and begins with a reload", io, async (t) => {
    const app = await startReloadedApp(t, withTimeouts({}));
    const tunnel = await app.open("in", undefined, "http");
    await tunnel.assertAlive();
    await app.reload(withTimeouts({ idle: "40ms" }));
    await tunnel.assertCut();
  });

  /** Whether the proxy's end of a connection that it has ended is gone: then it answers with a reset. */
  async function assertGone(client: Socket): Promise<void> {
    const failure = failed(client);
    const timer = setInterval(() => client.write("x"), 5);
    assert.match((await failure).code ?? "", /ECONNRESET|EPIPE/);
    clearInterval(timer);
  }

  /** Lets the time of a linger pass at will: nothing else waits by timeout here. */
  async function lingering(t: TestContext, client: Socket): Promise<void> {
    const hour = 3_600_000;
    t.mock.timers.tick(hour - 1);
    // A reset is the answer to the first write, and is noticed with the next one.
    for (let count = 0; count < 3; count++) {
      client.write("x");
      await turns(20);
    }
    assert.equal(client.errored, null);
    t.mock.timers.tick(1);
    await assertGone(client);
  }

  for (const protocol of tunnelProtocols) {
    it(`linger: is how long a client that was refused may stay, through ${protocol}`, io, async (t) => {
      const app = await startReloadedApp(t, {
        ...withTimeouts({ linger: "1h" }),
        route: { final: "no" },
      });
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const options = { protocol, proxy: app.proxyOf("in"), destination: app.destination.endpoint };
      const { client } = await askProxy(t, options);
      await lingering(t, client.resume());
    });
  }

  it("linger: is how long a client may stay whose login was refused", io, async (t) => {
    const users = { users: { username: "alice", password: "a" } };
    const app = await startReloadedApp(t, withTimeouts({ linger: "1h" }, users));
    t.mock.timers.enable({ apis: ["setTimeout"] });
    for (const sent of ["\x05\x01\x00", "\x04\x01\x00\x01\x7f\x00\x00\x01\x00"]) {
      const client = await connectTo(t, app.proxyOf("in"));
      client.write(Buffer.from(sent, "latin1"));
      await readAll(client);
      await lingering(t, client);
    }
  });

  it("linger: is how long the connection of an association may stay that is over", io, async (t) => {
    const app = await startReloadedApp(t, withTimeouts({ linger: "1h" }, { udp_timeout: "2h" }));
    // Before there is any timer: one that is not mocked could not be cleared.
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { control } = await associateSocks5(t, app.proxyOf("in"));
    control.resume();
    control.allowHalfOpen = true;
    await app.reload(
      withTimeouts({ linger: "1h" }, { udp_timeout: "2h", users: { username: "a", password: "b" } }),
    );
    await turns(20);
    await lingering(t, control);
  });
});
