import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { readAll, readBytes, sha256 } from "../helpers/bytes.js";
import { chainKinds, startChain, type ChainedApps, type ChainKind } from "../helpers/chained-apps.js";
import { startDestination } from "../helpers/destination.js";
import { endingOf } from "../helpers/ending.js";
import { eventually } from "../helpers/eventually.js";
import { askOver } from "../helpers/http-over.js";
import { openOrigin } from "../helpers/open-origin.js";
import { Origin } from "../helpers/origin.js";
import { connectTo, openTunnel } from "../helpers/proxy.js";
import { plainRequest, userOf, usersOf } from "../helpers/proxy-ways.js";
import { createRandom } from "../helpers/random.js";
import { associateSocks5 } from "../helpers/socks5-udp-client.js";
import { assertMoved, countersAfter, countersOf, type Moved } from "../helpers/test-app.js";
import { closed, until } from "../helpers/timing.js";
import { digestOf, randomPool, randomTransfer, runTransfer } from "../helpers/transfer.js";
import { startUdpEcho } from "../helpers/udp-echo.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 60_000 };
const relayUser: User = { username: "relay", password: "between-us" };
const alice = userOf("socks5");
const length = 1_500_001;
const random = createRandom(11);
const question = random.bytes(200_001);
const answer = random.bytes(400_003);

/** Waits until both apps have counted the same, which is what the origin has seen. */
async function assertBothMoved(
  { first, second }: ChainedApps,
  login: User,
  moved: () => Moved,
): Promise<void> {
  await assertMoved(first, alice, moved);
  await assertMoved(second, login, moved);
}

/** A connection through both that stands, and its two ends. */
async function openChain(t: TestContext, kind: ChainKind) {
  const apps = await startChain(t, kind, { users: usersOf("socks5"), login: relayUser });
  const target = await startDestination(t);
  const options = { proxy: apps.first.proxy, destination: target.endpoint, user: alice };
  const client = await openTunnel(t, { protocol: "socks5", ...options });
  return { apps, client, destination: await target.accept() };
}

for (const kind of chainKinds) {
  describe(`an app that leaves through another one by ${kind}`, () => {
    failOnUnhandled();

    for (const protocol of ["socks5", "http"] as const) {
      it(`carries a client of ${protocol}, every byte counted in both`, io, async (t) => {
        const apps = await startChain(t, kind, { users: usersOf(protocol), login: relayUser });
        const origin = await openOrigin(t, "https");
        const destination = { host: "localhost", port: origin.port };
        const options = { protocol, proxy: apps.first.proxy, destination, user: userOf(protocol) };
        const socket = await openTunnel(t, options);
        const { body } = await askOver(socket, `${origin.url}/bytes/${length}`);
        assert.equal(sha256(body), sha256(Origin.body(length)));
        await assertBothMoved(apps, relayUser, () => origin.moved);
        assert.ok(origin.moved.down > length);
      });
    }

    it("carries an upload, every byte counted in both", io, async (t) => {
      const apps = await startChain(t, kind, { users: usersOf("socks5"), login: relayUser });
      const origin = await openOrigin(t);
      const options = { proxy: apps.first.proxy, destination: { host: "127.0.0.1", port: origin.port } };
      const socket = await openTunnel(t, { protocol: "socks5", ...options, user: alice });
      const body = Origin.body(length);
      assert.equal((await askOver(socket, origin.url, { body })).body.toString(), sha256(body));
      await assertBothMoved(apps, relayUser, () => origin.moved);
      assert.ok(origin.moved.up > length);
    });

    it("carries plain HTTP requests, every byte counted in both", io, async (t) => {
      const apps = await startChain(t, kind, { users: usersOf("plain"), login: relayUser });
      const origin = await openOrigin(t);
      const client = await connectTo(t, apps.first.proxy);
      const destination = { host: "127.0.0.1", port: origin.port };
      client.write(plainRequest("GET", { destination }));
      client.end(plainRequest("GET", { destination }, "Connection: close"));
      const text = (await readAll(client)).toString("latin1");
      assert.equal(text.split("HTTP/1.1 200 OK").length, 3, text);
      await assertBothMoved(apps, relayUser, () => origin.moved);
      assert.ok(origin.moved.up > 0);
    });

    it("carries transfers of all kinds, byte for byte", io, async (t) => {
      assert.ok(alice !== undefined);
      const apps = await startChain(t, kind, { users: [alice] });
      const pool = randomPool(random);
      const plans = Array.from({ length: 6 }, () => randomTransfer(random, alice, pool));
      const results = await Promise.all(plans.map(async (plan) => runTransfer(t, apps.first.proxy, plan)));
      for (const { plan, client, destination } of results) {
        assert.ok(client.sawEnd && destination.sawEnd);
        assert.equal(client.sha256, digestOf(plan.destination));
        assert.equal(destination.sha256, digestOf(plan.client));
      }
      const moved = {
        up: results.reduce((sum, { destination }) => sum + destination.receivedBytes, 0),
        down: results.reduce((sum, { client }) => sum + client.receivedBytes, 0),
      };
      await assertMoved(apps.first, alice, () => moved);
      await assertMoved(apps.second, undefined, () => moved);
    });

    for (const first of ["client", "destination"] as const) {
      it(`lets the late answer through when the ${first} has ended its side`, io, async (t) => {
        const { apps, client, destination } = await openChain(t, kind);
        const [early, late] = first === "client" ? [client, destination] : [destination, client];
        early.end(question);
        assert.equal(sha256(await readAll(late)), sha256(question));
        late.end(answer);
        assert.equal(sha256(await readAll(early)), sha256(answer));
        const [up, down] = first === "client" ? [question, answer] : [answer, question];
        await assertBothMoved(apps, relayUser, () => ({ up: up.length, down: down.length }));
      });

      it(`passes a reset by the ${first} on as one; counted is what came through`, io, async (t) => {
        const { apps, client, destination } = await openChain(t, kind);
        client.write(question);
        destination.write(answer);
        await Promise.all([readBytes(destination, question.length), readBytes(client, answer.length)]);
        const [cutter, other] = first === "client" ? [client, destination] : [destination, client];
        const ending = endingOf(other);
        other.resume();
        cutter.resetAndDestroy();
        assert.equal(await ending, "reset");
        await closed(other);
        await assertBothMoved(apps, relayUser, () => ({ up: question.length, down: answer.length }));
      });
    }

    it("lets a destination speak first", io, async (t) => {
      const { apps, client, destination } = await openChain(t, kind);
      destination.write("220 welcome");
      assert.equal((await readBytes(client, 11)).toString(), "220 welcome");
      client.end();
      destination.end();
      await closed(destination.resume());
      await assertBothMoved(apps, relayUser, () => ({ up: 0, down: 11 }));
    });
  });
}

describe("packets of an app that leaves through another one by socks", () => {
  failOnUnhandled();

  /** Waits until both apps have counted the same, while the association is still open. */
  async function assertCounted({ first, second }: ChainedApps, moved: Moved): Promise<void> {
    await eventually(() => {
      assert.deepEqual(countersOf(first), countersAfter(alice, moved));
      assert.deepEqual(countersOf(second), countersAfter(relayUser, moved));
    });
  }

  for (const bytes of [0, 1, 1_200, 65_497]) {
    it(`of ${bytes} bytes go there and back, every byte counted in both`, io, async (t) => {
      const apps = await startChain(t, "socks", { users: usersOf("socks5"), login: relayUser });
      const echo = await startUdpEcho(t);
      const client = await associateSocks5(t, apps.first.proxy, { ...(alice && { user: alice }) });
      const payload = random.bytes(bytes);
      for (let round = 0; round < 3; round++) {
        await client.send(payload, echo.endpoint);
        const received = await client.receive();
        assert.ok(received.payload.equals(payload));
        assert.deepEqual(received.endpoint, echo.endpoint);
      }
      await assertCounted(apps, echo.moved);
      assert.equal(echo.moved.up, 3 * bytes);
      await client.close();
    });
  }

  it("for a name are for the other one to resolve", io, async (t) => {
    const apps = await startChain(t, "socks", { users: usersOf("socks5"), login: relayUser });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, apps.first.proxy, { ...(alice && { user: alice }) });
    await client.send("by name", { host: "localhost", port: echo.endpoint.port });
    assert.equal((await client.receive()).payload.toString(), "by name");
    await assertCounted(apps, { up: 7, down: 7 });
    await client.close();
  });

  it("end with the other one, and not with them the client's association", io, async (t) => {
    const apps = await startChain(t, "socks", { users: usersOf("socks5"), login: relayUser });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, apps.first.proxy, { ...(alice && { user: alice }) });
    await client.send("before", echo.endpoint);
    await client.receive();
    await apps.second.app.stop(AbortSignal.abort());
    await until(() => apps.first.app.connections.size === 0);
    assert.equal(client.control.readableEnded, false);
  });

  it("end with the client, and the other one is told", io, async (t) => {
    const apps = await startChain(t, "socks", { users: usersOf("socks5"), login: relayUser });
    const echo = await startUdpEcho(t);
    const client = await associateSocks5(t, apps.first.proxy, { ...(alice && { user: alice }) });
    await client.send("before", echo.endpoint);
    await client.receive();
    await client.close();
    // It waits for all associations to end by themselves.
    await apps.second.app.stop(new AbortController().signal);
  });
});
