import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { sha256 } from "../helpers/bytes.js";
import { eventually } from "../helpers/eventually.js";
import { askOver } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { askProxy, openTunnel } from "../helpers/proxy.js";
import { userOf, usersOf } from "../helpers/proxy-ways.js";
import { createRandom } from "../helpers/random.js";
import { associateSocks5 } from "../helpers/socks5-udp-client.js";
import { assertMoved, countersAfter, countersOf, startTestApp } from "../helpers/test-app.js";
import { startUdpEcho } from "../helpers/udp-echo.js";
import { startV2Ray, type V2Ray } from "../helpers/v2ray.js";

const io = { timeout: 60_000, ...needs("v2ray") };
const relayUser: User = { username: "relay", password: "between us" };
const user = userOf("socks5");
const length = 1_000_001;

/** An outbound that leaves through V2Ray. */
function through(type: "socks" | "http", { socksPort, httpPort }: V2Ray, login: User) {
  return { type, server: "127.0.0.1", server_port: type === "socks" ? socksPort : httpPort, ...login };
}

describe("an outbound, through V2Ray", () => {
  for (const type of ["socks", "http"] as const) {
    it(`of type ${type} carries connections, every byte counted`, io, async (t) => {
      const v2ray = await startV2Ray(t, relayUser);
      const origin = await openOrigin(t);
      const app = await startTestApp(t, {
        users: usersOf("socks5"),
        outbound: through(type, v2ray, relayUser),
      });
      const destination = { host: "localhost", port: origin.port };
      const socket = await openTunnel(t, { protocol: "socks5", proxy: app.proxy, destination, user });
      const body = Origin.body(length);
      assert.equal((await askOver(socket, origin.url, { body })).body.toString(), sha256(body));
      await assertMoved(app, user, () => origin.moved);
      assert.ok(origin.moved.up > length);
    });

    it(`of type ${type} is refused with a wrong login`, io, async (t) => {
      const v2ray = await startV2Ray(t, relayUser);
      const outbound = through(type, v2ray, { ...relayUser, password: "wrong" });
      const app = await startTestApp(t, { users: usersOf("socks5"), outbound });
      const destination = { host: "localhost", port: 1 };
      const { answer } = await askProxy(t, { protocol: "socks5", proxy: app.proxy, destination, user });
      assert.equal(answer, 1);
    });
  }

  // More does not fit through a V2Ray, which cuts packets, and loses empty ones.
  for (const bytes of [1, 1_200, 2_000]) {
    it(`of type socks carries packets of ${bytes} bytes, every byte counted`, io, async (t) => {
      const v2ray = await startV2Ray(t, relayUser);
      const echo = await startUdpEcho(t);
      const app = await startTestApp(t, {
        users: usersOf("socks5"),
        outbound: through("socks", v2ray, relayUser),
      });
      const client = await associateSocks5(t, app.proxy, { ...(user && { user }) });
      const payload = createRandom(bytes).bytes(bytes);
      for (let round = 0; round < 5; round++) {
        await client.send(payload, echo.endpoint);
        const { payload: received, endpoint } = await client.receive();
        assert.ok(received.equals(payload));
        assert.deepEqual(endpoint, echo.endpoint);
      }
      await eventually(() => {
        assert.deepEqual(countersOf(app), countersAfter(user, echo.moved));
      });
      assert.equal(echo.moved.up, 5 * bytes);
      await client.close();
    });
  }
});
