import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../src/proxy/users.js";
import { basicLogin, readHttpAnswer } from "./helpers/http-client.js";
import { askProxy, connectTo } from "./helpers/proxy.js";
import { startReloadedApp } from "./helpers/reloaded-app.js";
import { associateSocks5 } from "./helpers/socks5-udp-client.js";
import { failed } from "./helpers/timing.js";
import { startUdpEcho } from "./helpers/udp-echo.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "a" };
const bob: User = { username: "bob", password: "b" };

function mixed(tag: string, rest: object = {}): object {
  return { type: "mixed", tag, listen_port: 0, ...rest };
}

describe("App's reload, of users", () => {
  const users = (...list: readonly User[]) => ({ inbounds: mixed("in", { users: list }) });

  for (const protocol of ["socks5", "http"] as const) {
    it(`cuts who is gone or has another password, and nobody else, through ${protocol}`, io, async (t) => {
      const carol: User = { username: "carol", password: "c" };
      const app = await startReloadedApp(t, users(alice, bob, carol));
      const proxy = app.proxyOf("in");
      const [kept, gone, changed] = [
        await app.open("in", alice, protocol),
        await app.open("in", bob, protocol),
        await app.open("in", carol, protocol),
      ];
      const newCarol: User = { ...carol, password: "new" };
      await app.reload(users(newCarol, alice));
      await gone.assertCut();
      await changed.assertCut();
      await kept.assertAlive();
      assert.equal(app.app.connections.size, 1);
      assert.deepEqual(app.proxyOf("in"), proxy);

      const { endpoint: destination } = app.destination;
      if (protocol === "http") {
        for (const user of [bob, carol]) {
          assert.equal((await askProxy(t, { protocol, proxy, destination, user })).answer, 407);
        }
      } else {
        for (const user of [bob, carol]) {
          await assert.rejects(askProxy(t, { protocol, proxy, destination, user }));
        }
      }
      await (await app.open("in", newCarol, protocol)).assertAlive();
      assert.deepEqual(app.reported, {
        ...{ added: undefined, changed: "inbound in: user carol", removed: "inbound in: user bob" },
      });
    });
  }

  it("ends the plain requests of who is gone, and does not send them again", io, async (t) => {
    const app = await startReloadedApp(t, users(alice, bob));
    const url = `http://127.0.0.1:${app.destination.endpoint.port}/`;
    const get = [`GET ${url} HTTP/1.1`, "Host: origin", basicLogin(bob), "", ""].join("\r\n");
    const client = await connectTo(t, app.proxyOf("in"));
    client.write(get);
    const origin = await app.destination.accept();
    await readHttpAnswer(origin);
    origin.write("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert.equal((await readHttpAnswer(client)).status, 200);
    // On the connection that is kept, whose end would be no reason not to send it again.
    client.write(get);
    await readHttpAnswer(origin);
    const cut = [failed(origin), failed(client)];
    origin.resume();
    client.resume();
    await app.reload(users(alice));
    for (const { code } of await Promise.all(cut)) assert.equal(code, "ECONNRESET");
    assert.equal(app.destination.acceptedCount, 1);
  });

  it("ends their associations, even those that have sent nothing yet", io, async (t) => {
    const echo = await startUdpEcho(t);
    const app = await startReloadedApp(t, users(alice, bob));
    const proxy = app.proxyOf("in");
    const [kept, busy, silent] = [
      await associateSocks5(t, proxy, { user: alice }),
      await associateSocks5(t, proxy, { user: bob }),
      await associateSocks5(t, proxy, { user: bob }),
    ];
    await busy.send("hello", echo.endpoint);
    await busy.receive();
    await app.reload(users(alice));
    await Promise.all([busy.ended(), silent.ended()]);
    await kept.send("still", echo.endpoint);
    assert.equal((await kept.receive()).payload.toString(), "still");
  });

  it("cuts who did not have to log in where somebody has to", io, async (t) => {
    const app = await startReloadedApp(t, users());
    const anonymous = await app.open("in");
    await app.reload(users(alice));
    await anonymous.assertCut();
    await (await app.open("in", alice)).assertAlive();
    await app.reload(users());
    await (await app.open("in")).assertAlive();
  });

  it("tells users of two inbounds apart", io, async (t) => {
    const config = (other: User) => ({
      inbounds: [mixed("one", { users: [alice] }), mixed("two", { users: [other] })],
    });
    const app = await startReloadedApp(t, config(alice));
    const [kept, cut] = [await app.open("one", alice), await app.open("two", alice)];
    await app.reload(config({ ...alice, password: "new" }));
    await cut.assertCut();
    await kept.assertAlive();
  });
});
