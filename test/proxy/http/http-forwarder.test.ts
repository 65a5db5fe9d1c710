import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, request as httpRequest, Agent, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { createPipe } from "../../../src/net/pipe.js";
import { HttpForwarder, type OriginRoute } from "../../../src/proxy/http/http-forwarder.js";
import type { HttpTarget } from "../../../src/proxy/http/http-target.js";
import { RejectedError } from "../../../src/proxy/rejection.js";
import { readAll } from "../../helpers/bytes.js";
import { answerText } from "../../helpers/http-messages.js";
import { closeAfter, listen } from "../../helpers/sockets.js";
import { closed, turns, until } from "../../helpers/timing.js";

const io = { timeout: 10_000 };

/** The far end of a connection to an origin that was opened. */
interface OpenedOrigin {
  readonly route: OriginRoute;
  readonly far: Duplex;
  /** What the origin received. */
  text: string;
}

interface Forwarding {
  readonly forwarder: HttpForwarder;
  readonly opened: readonly OpenedOrigin[];
  /** Says of every request that the rest of it never comes. */
  breakOff(this: void): void;
  /** Sends a request, by way of the forwarder, to that origin; with what became of it. */
  readonly forward: (host: string, options?: ForwardOptions) => Promise<Forwarded>;
}

interface ForwardOptions {
  readonly user?: string;
  readonly method?: string;
}

interface Forwarded {
  /** What the client heard; empty if the forwarder failed. */
  readonly body: string;
  /** Why it failed. */
  readonly error: unknown;
}

/** A forwarder of requests that a real client sends to a real server, to origins that the test plays. */
async function startForwarding(
  t: TestContext,
  onOpened: (origin: OpenedOrigin) => void = answerAlways,
): Promise<Forwarding> {
  const opened: OpenedOrigin[] = [];
  const forwarder = new HttpForwarder((route) => {
    const [near, far] = createPipe();
    near.allowHalfOpen = false;
    const origin: OpenedOrigin = { route, far, text: "" };
    far.on("data", (bytes: Buffer) => (origin.text += bytes.toString()));
    // As the relay does when the origin has ended its side, too.
    far.on("end", () => far.end());
    opened.push(origin);
    onOpened(origin);
    return near;
  });
  const breaking = new AbortController();
  const broken = breaking.signal;
  let next: (HttpTarget & { readonly user: string | undefined }) | undefined;
  let settle: (error: unknown) => void = () => undefined;
  const server = createServer((request, response) => {
    assert.ok(next !== undefined);
    const { user, ...target } = next;
    const over = turns(1).then(async () => forwarder.forward({ request, response, target, user, broken }));
    over.then(
      () => {
        settle(undefined);
      },
      (error: unknown) => {
        response.end();
        settle(error);
      },
    );
  });
  const { port } = await listen(t, server);
  const agent = new Agent({ keepAlive: true });
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      forwarder.close();
      return Promise.resolve();
    },
  });
  return {
    forwarder,
    opened,
    breakOff: () => {
      breaking.abort();
    },
    forward: async (host, { user, method = "GET" } = {}) => {
      next = { origin: { host, port: 80 }, host, path: "/path", user };
      const over = new Promise((resolve) => (settle = resolve));
      const client = httpRequest({ host: "127.0.0.1", port, method, agent });
      client.end();
      const [response] = (await once(client, "response")) as [IncomingMessage];
      const body = (await readAll(response)).toString();
      return { body, error: await over };
    },
  };
}

/** Answers every request with its number on this connection. */
function answerAlways(origin: OpenedOrigin): void {
  let answered = 0;
  origin.far.on("data", () => {
    for (const count = origin.text.split("\r\n\r\n").length - 1; answered < count;) {
      answered++;
      origin.far.write(answerText(`answer ${answered}`));
    }
  });
}

describe("HttpForwarder", () => {
  it("opens a connection for whom and where it is told, and sends the request there", io, async (t) => {
    const { forward, opened } = await startForwarding(t);
    const { body, error } = await forward("a.example", { user: "alice" });
    assert.equal(error, undefined);
    assert.equal(body, "answer 1");
    const [origin] = opened;
    assert.deepEqual(origin?.route, { user: "alice", origin: { host: "a.example", port: 80 } });
    assert.equal(origin.text, "GET /path HTTP/1.1\r\nHost: a.example\r\nConnection: keep-alive\r\n\r\n");
  });

  it("keeps the connection for the same user and origin", io, async (t) => {
    const { forward, opened } = await startForwarding(t);
    for (const expected of ["answer 1", "answer 2", "answer 3"]) {
      assert.equal((await forward("a.example", { user: "alice" })).body, expected);
      await turns(3);
    }
    assert.equal(opened.length, 1);
  });

  const others: readonly (readonly [title: string, host: string, user: string | undefined])[] = [
    ["another origin", "b.example", "alice"],
    ["another user", "a.example", "bob"],
    ["no user", "a.example", undefined],
  ];
  for (const [title, host, user] of others) {
    it(`ends the kept connection and opens one for ${title}`, io, async (t) => {
      const { forward, opened } = await startForwarding(t);
      await forward("a.example", { user: "alice" });
      await forward(host, user === undefined ? {} : { user });
      assert.equal(opened.length, 2);
      assert.deepEqual(opened[1]?.route, { user, origin: { host, port: 80 } });
      await closed(opened[0]?.far ?? assert.fail());
      assert.equal(opened[0]?.far.errored, null);
    });
  }

  it("ends the kept connection in order when it is closed, twice if need be", io, async (t) => {
    const { forward, forwarder, opened } = await startForwarding(t);
    forwarder.close();
    await forward("a.example");
    forwarder.close();
    forwarder.close();
    const [origin] = opened;
    await closed(origin?.far ?? assert.fail());
    assert.ok(origin?.far.readableEnded);
    assert.equal(origin.far.errored, null);
  });

  it("goes on after it was closed, with a new connection", io, async (t) => {
    const { forward, forwarder, opened } = await startForwarding(t);
    await forward("a.example");
    forwarder.close();
    assert.equal((await forward("a.example")).body, "answer 1");
    assert.equal(opened.length, 2);
  });

  it("lets an answer under way come to its end when it is closed", io, async (t) => {
    const { forward, forwarder, opened } = await startForwarding(t, () => undefined);
    const over = forward("a.example");
    await until(() => opened[0]?.text.endsWith("\r\n\r\n") === true);
    forwarder.close();
    opened[0]?.far.write(answerText("late"));
    assert.deepEqual(await over, { body: "late", error: undefined });
  });

  it("fails and cuts the connection if the rest of the request never comes", io, async (t) => {
    const { forward, breakOff, opened } = await startForwarding(t, () => undefined);
    const over = forward("a.example");
    await until(() => opened[0]?.text.endsWith("\r\n\r\n") === true);
    breakOff();
    assert.ok((await over).error instanceof RejectedError);
    await closed(opened[0]?.far ?? assert.fail());
    assert.notEqual(opened[0]?.far.errored, null);
    assert.equal(opened.length, 1);
  });

  it("fails with the rejection of a connection that cannot be", io, async (t) => {
    const rejection = new RejectedError({ code: "timeout", message: "connect to a.example:80: too late" });
    const { forward } = await startForwarding(t, ({ far }) => far.destroy(rejection));
    const { error } = await forward("a.example");
    assert.equal(error, rejection);
  });

  const endings: readonly (readonly [title: string, end: (far: Duplex) => void, reason: string])[] = [
    ["ends", (far) => void far.end(), "no answer from a.example: socket hang up"],
    ["is reset", (far) => void far.destroy(), "no answer from a.example: read ECONNRESET"],
    ["fails", (far) => void far.destroy(new Error("lost")), "no answer from a.example: lost"],
  ];
  for (const [title, end, reason] of endings) {
    it(`fails if the connection ${title} without an answer`, io, async (t) => {
      const { forward } = await startForwarding(t, ({ far }) => {
        far.once("data", () => {
          end(far);
        });
      });
      const { error } = await forward("a.example");
      assert.ok(error instanceof RejectedError);
      assert.equal(error.code, "failed");
      assert.equal(error.message, reason);
      assert.ok(error.cause instanceof Error);
    });
  }

  /** Answers the first request of the first connection, and ends that with the second one. */
  const endSecond = (opened: () => readonly OpenedOrigin[]) => (origin: OpenedOrigin) => {
    if (opened().length !== 1) {
      answerAlways(origin);
      return;
    }
    origin.far.once("data", () => {
      origin.far.write(answerText("first"));
      origin.far.once("data", () => origin.far.destroy());
    });
  };

  const repeated: readonly (readonly [method: string, connections: number, isAnswered: boolean])[] = [
    ["GET", 2, true],
    ["OPTIONS", 2, true],
    ["POST", 1, false],
    ["PUT", 1, false],
    ["DELETE", 1, false],
  ];
  for (const [method, connections, isAnswered] of repeated) {
    it(
      `${isAnswered ? "repeats" : "does not repeat"} ${method} on a new connection if the kept one fails`,
      io,
      async (t) => {
        let opened: readonly OpenedOrigin[] = [];
        const forwarding = await startForwarding(t, (origin) => {
          endSecond(() => opened)(origin);
        });
        ({ opened } = forwarding);
        assert.equal((await forwarding.forward("a.example")).body, "first");
        await turns(3);
        const { body, error } = await forwarding.forward("a.example", { method });
        assert.equal(body, isAnswered ? "answer 1" : "");
        assert.equal(error instanceof RejectedError, !isAnswered);
        assert.equal(opened.length, connections);
      },
    );
  }
});
