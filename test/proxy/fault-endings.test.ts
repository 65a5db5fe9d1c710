import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { readAll, readBytes, sha256 } from "../helpers/bytes.js";
import { startDestination, type Destination } from "../helpers/destination.js";
import { endingOf } from "../helpers/ending.js";
import { readHttpAnswer } from "../helpers/http-client.js";
import { connectTo, openTunnel, tunnelProtocols, type TunnelProtocol } from "../helpers/proxy.js";
import { plainRequest, userOf, usersOf, wayTitles } from "../helpers/proxy-ways.js";
import { createRandom } from "../helpers/random.js";
import { RawConnection } from "../helpers/raw-http.js";
import { assertMoved, startTestApp, type TestApp } from "../helpers/test-app.js";
import { closed } from "../helpers/timing.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 20_000 };
const random = createRandom(7);
const question = random.bytes(300_001);
const answer = random.bytes(700_003);
const ends = ["client", "destination"] as const;

/** A connection through an app that stands. */
interface Tunnel {
  readonly app: TestApp;
  readonly client: Socket;
  /** The destination's end. */
  readonly destination: Socket;
}

async function startTunnel(t: TestContext, protocol: TunnelProtocol): Promise<Tunnel> {
  const app = await startTestApp(t, { users: usersOf(protocol) });
  const target = await startDestination(t);
  const options = { protocol, proxy: app.proxy, destination: target.endpoint, user: userOf(protocol) };
  const client = await openTunnel(t, options);
  return { app, client, destination: await target.accept() };
}

/** A plain request whose head has reached its origin. */
interface Exchange {
  readonly app: TestApp;
  readonly client: Socket;
  readonly origin: Socket;
  /** What the origin got, in bytes. */
  readonly headBytes: number;
}

async function startExchange(t: TestContext, headers: readonly string[] = [], body = ""): Promise<Exchange> {
  const app = await startTestApp(t, { users: usersOf("plain") });
  const target: Destination = await startDestination(t);
  const client = await connectTo(t, app.proxy);
  const method = body === "" ? "GET" : "POST";
  client.write(`${plainRequest(method, { destination: target.endpoint }, ...headers)}${body}`);
  const origin = await target.accept();
  const { head } = await readHttpAnswer(origin);
  return { app, client, origin, headBytes: head.length };
}

for (const protocol of tunnelProtocols) {
  const user = userOf(protocol);

  describe(`a tunnel of ${wayTitles[protocol]}`, () => {
    failOnUnhandled();

    for (const first of ends) {
      it(`lets the late answer through when the ${first} has ended its side`, io, async (t) => {
        const { app, client, destination } = await startTunnel(t, protocol);
        const [early, late] = first === "client" ? [client, destination] : [destination, client];
        early.end(question);
        assert.equal(sha256(await readAll(late)), sha256(question));
        late.end(answer);
        assert.equal(sha256(await readAll(early)), sha256(answer));
        const [up, down] = first === "client" ? [question, answer] : [answer, question];
        await assertMoved(app, user, () => ({ up: up.length, down: down.length }));
      });

      it(`passes a reset by the ${first} on as one; counted is what came through`, io, async (t) => {
        const { app, client, destination } = await startTunnel(t, protocol);
        client.write(question);
        destination.write(answer);
        const received = [readBytes(destination, question.length), readBytes(client, answer.length)];
        await Promise.all(received);
        const [cutter, other] = first === "client" ? [client, destination] : [destination, client];
        const ending = endingOf(other);
        other.resume();
        cutter.resetAndDestroy();
        assert.equal(await ending, "reset");
        await closed(other);
        await assertMoved(app, user, () => ({ up: question.length, down: answer.length }));
      });
    }

    it("resets a destination that never speaks when the client does", io, async (t) => {
      const { app, client, destination } = await startTunnel(t, protocol);
      const ending = endingOf(destination);
      destination.resume();
      client.resetAndDestroy();
      assert.equal(await ending, "reset");
      await closed(destination);
      await assertMoved(app, user, () => ({ up: 0, down: 0 }));
    });

    it("ends towards a destination that never speaks when the client does", io, async (t) => {
      const { app, client, destination } = await startTunnel(t, protocol);
      client.end();
      assert.equal((await readAll(destination)).length, 0);
      destination.end();
      assert.equal((await readAll(client)).length, 0);
      await assertMoved(app, user, () => ({ up: 0, down: 0 }));
    });
  });
}

describe("an exchange of plain HTTP", () => {
  failOnUnhandled();
  const user = userOf("plain");
  const framings: readonly (readonly [title: string, header: string, halfBody: string])[] = [
    ["with a length", "Content-Length: 1000", "half"],
    ["in chunks", "Transfer-Encoding: chunked", "4\r\nhalf\r\n"],
    ["up to the connection's end", "Connection: close", "half"],
  ];
  for (const [title, header, halfBody] of framings) {
    const half = `HTTP/1.1 200 OK\r\n${header}\r\n\r\n${halfBody}`;

    it(`is reset where the origin resets in an answer ${title}`, io, async (t) => {
      const { app, client, origin, headBytes } = await startExchange(t);
      const ending = endingOf(client);
      const connection = new RawConnection(client);
      origin.write(half);
      await connection.received("half");
      origin.resetAndDestroy();
      assert.equal(await ending, "reset");
      await assertMoved(app, user, () => ({ up: headBytes, down: half.length }));
    });

    it(`resets the origin where the client resets in an answer ${title}`, io, async (t) => {
      const { app, client, origin, headBytes } = await startExchange(t);
      const ending = endingOf(origin);
      origin.resume();
      origin.write(half);
      await new RawConnection(client).received("half");
      client.resetAndDestroy();
      assert.equal(await ending, "reset");
      await assertMoved(app, user, () => ({ up: headBytes, down: half.length }));
    });
  }

  // What lasts up to the connection's end is neither a request, nor ever cut by that end.
  for (const [title, header, halfBody] of framings.slice(0, 2)) {
    const half = `HTTP/1.1 200 OK\r\n${header}\r\n\r\n${halfBody}`;

    it(`is reset where the origin ends in an answer ${title}`, io, async (t) => {
      const { app, client, origin, headBytes } = await startExchange(t);
      const ending = endingOf(client);
      const connection = new RawConnection(client);
      origin.write(half);
      await connection.received("half");
      origin.resume();
      origin.end();
      assert.equal(await ending, "reset");
      await assertMoved(app, user, () => ({ up: headBytes, down: half.length }));
    });

    it(`resets the origin where the client resets in a request ${title}`, io, async (t) => {
      const { app, client, origin, headBytes } = await startExchange(t, [header], halfBody);
      const ending = endingOf(origin);
      await new RawConnection(origin).received(halfBody);
      client.resetAndDestroy();
      assert.equal(await ending, "reset");
      await assertMoved(app, user, () => ({ up: headBytes + halfBody.length, down: 0 }));
    });
  }

  it("brings the head of an upload to the origin before there is a body", io, async (t) => {
    const app = await startTestApp(t, { users: usersOf("plain") });
    const target = await startDestination(t);
    const client = await connectTo(t, app.proxy);
    client.write(plainRequest("POST", { destination: target.endpoint }, "Content-Length: 4"));
    const origin = await target.accept();
    assert.match((await readHttpAnswer(origin)).head, /^POST \/ /);
    client.end("body");
    assert.equal((await readBytes(origin, 4)).toString(), "body");
    origin.end("HTTP/1.1 204 No Content\r\n\r\n");
    assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 204 /);
  });

  it("resets an origin that never speaks when the client does", io, async (t) => {
    const { app, client, origin, headBytes } = await startExchange(t);
    const ending = endingOf(origin);
    origin.resume();
    client.resetAndDestroy();
    assert.equal(await ending, "reset");
    await assertMoved(app, user, () => ({ up: headBytes, down: 0 }));
  });

  it("brings the late answer to a client that has ended its side", io, async (t) => {
    const { app, client, origin, headBytes } = await startExchange(t);
    client.end();
    const head = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    origin.write(head);
    origin.end(answer);
    const text = await readAll(client);
    assert.ok(text.includes(answer.subarray(0, 1000)));
    await assertMoved(app, user, () => ({ up: headBytes, down: head.length + answer.length }));
  });
});
