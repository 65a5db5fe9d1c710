import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { DialError, type DialErrorCode } from "../../../src/net/dial-error.js";
import { createPipe } from "../../../src/net/pipe.js";
import { openHttpTunnel, type HttpTunnelOptions } from "../../../src/proxy/http/http-tunnel.js";
import { readAll, sha256 } from "../../helpers/bytes.js";
import { connectionKinds } from "../../helpers/connections.js";
import { basicLogin, connectHead, readHttpAnswer } from "../../helpers/http-client.js";
import { createRandom } from "../../helpers/random.js";
import { socketPair } from "../../helpers/sockets.js";
import { closed, turns } from "../../helpers/timing.js";
import { failOnUnhandled } from "../../helpers/unhandled.js";

const io = { timeout: 10_000 };
const target = "example.com:443";
const alice = { username: "alice", password: "zqxjkvbw" };
const established = "HTTP/1.1 200 Connection established\r\n\r\n";

/** A proxy that is asked for a tunnel, and that a test plays. */
interface Conversation {
  readonly client: Duplex;
  readonly proxy: Duplex;
  readonly opened: Promise<void>;
}

function converseOver(client: Duplex, proxy: Duplex, options: Partial<HttpTunnelOptions> = {}): Conversation {
  const opened = openHttpTunnel(client, { target, ...options });
  opened.catch(() => undefined);
  return { client, proxy, opened };
}

async function converse(t: TestContext, options: Partial<HttpTunnelOptions> = {}): Promise<Conversation> {
  const { client, server } = await socketPair(t);
  return converseOver(client, server, options);
}

/** What is asked of the proxy, whose connection can be read on. */
async function hear({ proxy }: Conversation): Promise<string> {
  return (await readHttpAnswer(proxy)).head;
}

describe("openHttpTunnel", () => {
  failOnUnhandled();

  it("asks for the target, and nothing else", io, async (t) => {
    const conversation = await converse(t);
    assert.equal(await hear(conversation), connectHead(target));
    conversation.proxy.write(established);
    await conversation.opened;
  });

  it("logs in where it has a login", io, async (t) => {
    const conversation = await converse(t, { login: alice });
    assert.equal(await hear(conversation), connectHead(target, basicLogin(alice)));
    conversation.proxy.write(established);
    await conversation.opened;
  });

  for (const [kind, connect] of connectionKinds) {
    it(`leaves a ${kind} that carries payload in both directions, to both ends`, io, async (t) => {
      const { ours, peer } = await connect(t);
      const conversation = converseOver(ours, peer);
      await hear(conversation);
      peer.write(established);
      await conversation.opened;
      ours.end("question");
      assert.equal((await readAll(peer)).toString(), "question");
      peer.end("answer");
      assert.equal((await readAll(ours)).toString(), "answer");
    });

    it(`leaves what came right behind the answer on a ${kind} to the next reader`, io, async (t) => {
      const { ours, peer } = await connect(t);
      const payload = createRandom(4).bytes(100_000);
      const conversation = converseOver(ours, peer);
      await hear(conversation);
      peer.write(Buffer.concat([Buffer.from(established), payload]));
      await conversation.opened;
      peer.end();
      assert.equal(sha256(await readAll(ours)), sha256(payload));
    });
  }

  const interim = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  const granted: readonly (readonly [title: string, answer: string])[] = [
    ["200", established],
    ["another 2xx", "HTTP/1.1 299 Fine\r\n\r\n"],
    ["204", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["no reason phrase", "HTTP/1.1 200\r\n\r\n"],
    ["HTTP/1.0", "HTTP/1.0 200 Connection established\r\n\r\n"],
    ["headers", "HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\nProxy-Agent: x\r\n\r\n"],
    ["a length, which means nothing", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"],
    ["chunks, which mean nothing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["close, which means nothing", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"],
    ["100 before it", `HTTP/1.1 100 Continue\r\n\r\n${established}`],
    ["several interim answers before it", `${interim}${interim}HTTP/1.1 102 Wait\r\n\r\n${established}`],
    ["as many interim answers as there may be", `${interim.repeat(8)}${established}`],
  ];
  for (const [title, answer] of granted) {
    it(`takes an answer with ${title} for a yes`, io, async (t) => {
      const conversation = await converse(t);
      await hear(conversation);
      conversation.proxy.end(`${answer}3\r\npayload`);
      await conversation.opened;
      assert.equal((await readAll(conversation.client)).toString(), "3\r\npayload");
    });

    it(`understands an answer with ${title} that comes byte by byte`, io, async () => {
      // Over a pipe every write is a segment of its own.
      const conversation = converseOver(...createPipe());
      await hear(conversation);
      for (const byte of Buffer.from(`${answer}payload`)) {
        conversation.proxy.write(Buffer.of(byte));
        await turns(1);
      }
      conversation.proxy.end();
      await conversation.opened;
      assert.equal((await readAll(conversation.client)).toString(), "payload");
    });
  }
});

describe("openHttpTunnel's refusal", () => {
  failOnUnhandled();
  const statuses: readonly (readonly [status: number, code: DialErrorCode])[] = [
    [101, "failed"],
    [300, "failed"],
    [302, "failed"],
    [400, "failed"],
    [401, "failed"],
    [403, "blocked"],
    [404, "failed"],
    [405, "failed"],
    [429, "failed"],
    [500, "failed"],
    [502, "failed"],
    [503, "failed"],
    [504, "timeout"],
    [999, "failed"],
  ];
  const bodies = [
    "",
    "Content-Length: 2\r\n\r\nno",
    "Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
  ];
  for (const [status, code] of statuses) {
    it(`by ${status} is ${code}, whatever body it has`, io, async (t) => {
      for (const body of bodies) {
        const conversation = await converse(t);
        await hear(conversation);
        conversation.proxy.write(`HTTP/1.1 ${status} No\r\n${body === "" ? "\r\n" : body}`);
        await assert.rejects(conversation.opened, new DialError(code, `it answers ${status}`));
      }
    });
  }

  const wishes = [
    [undefined, "it refuses our login (407): it wants one, and there is none"],
    [alice, "it refuses our login (407): wrong username or password"],
  ] as const;
  for (const [login, message] of wishes) {
    it(`by 407 is failed: ${message}`, io, async (t) => {
      const conversation = await converse(t, { login });
      await hear(conversation);
      conversation.proxy.write(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\n\r\n',
      );
      const outcome: unknown = await conversation.opened.catch((error: unknown) => error);
      assert.deepEqual(outcome, new DialError("failed", message));
    });
  }

  const closedMessage = "connection closed before its answer";
  const noHttp = "it does not answer in HTTP: ";
  const noAnswers: readonly (readonly [title: string, answer: string, message: RegExp])[] = [
    ["nothing", "", new RegExp(`^${closedMessage}$`)],
    ["half a status line", "HTTP/1.1 20", new RegExp(`^${closedMessage}$`)],
    ["half a head", "HTTP/1.1 200 OK\r\nVia: x\r\n", new RegExp(`^${closedMessage}$`)],
    ["interim answers only", "HTTP/1.1 100 Continue\r\n\r\n", new RegExp(`^${closedMessage}$`)],
    ["SSH", "SSH-2.0-OpenSSH_9.2\r\n", new RegExp(`^${noHttp}`)],
    ["SOCKS", "\u0005\u00ff", new RegExp(`^${noHttp}`)],
    ["HTTP/2", "\0\0\u0012\u0004\0\0\0\0\0\0\u0003\0\0\0\u0080", new RegExp(`^${noHttp}`)],
    ["bare line feeds", "HTTP/1.1 200 OK\n\npayload", new RegExp(`^${noHttp}`)],
    ["a folded header", "HTTP/1.1 200 OK\r\nVia: x\r\n y\r\n\r\n", new RegExp(`^${noHttp}`)],
    ["a status that is none", "HTTP/1.1 2000 OK\r\n\r\n", new RegExp(`^${noHttp}`)],
    [
      "two framings",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      new RegExp(`^${noHttp}`),
    ],
    ["garbage behind interim answers", "HTTP/1.1 100 Continue\r\n\r\nno", new RegExp(`^${noHttp}`)],
    [
      "a head that is too long",
      `HTTP/1.1 200 OK\r\nVia: ${"x".repeat(64 * 1024)}\r\n\r\n`,
      /^its answer has a head of more than 65536 bytes$/,
    ],
    [
      "a status line that is too long",
      `HTTP/1.1 200 ${"x".repeat(64 * 1024)}\r\n\r\n`,
      /^its answer has a head of more than 65536 bytes$/,
    ],
    ["too many interim answers", "HTTP/1.1 102 Wait\r\n\r\n".repeat(9), /^it answers 102 again and again$/],
  ];
  for (const [title, answer, message] of noAnswers) {
    it(`of a proxy that answers ${title} and ends is failed`, io, async (t) => {
      const conversation = await converse(t);
      await hear(conversation);
      conversation.proxy.end(answer, "latin1");
      await assert.rejects(conversation.opened, { name: "DialError", code: "failed", message });
    });
  }

  it("of a proxy that resets is failed", io, async (t) => {
    for (const answer of ["", "HTTP/1.1 2", "HTTP/1.1 102 Wait\r\n\r\n"]) {
      const { client, server } = await socketPair(t);
      const conversation = converseOver(client, server);
      await hear(conversation);
      if (answer !== "") server.write(answer);
      await turns(5);
      server.resetAndDestroy();
      await assert.rejects(conversation.opened, { code: "failed", message: closedMessage });
    }
  });

  it("of a connection that is destroyed before or meanwhile is failed", io, async (t) => {
    const { client } = await socketPair(t);
    client.destroy();
    await assert.rejects(openHttpTunnel(client, { target }), { code: "failed", message: closedMessage });
    await closed(client);
    await assert.rejects(openHttpTunnel(client, { target }), { code: "failed", message: closedMessage });

    for (const waits of [0, 1, 5]) {
      const pair = await socketPair(t);
      const conversation = converseOver(pair.client, pair.server);
      await turns(waits);
      pair.client.destroy();
      await assert.rejects(conversation.opened, { code: "failed", message: closedMessage });
    }
  });

  it("never shows the password, in words or in base64", io, async (t) => {
    const encoded = Buffer.from(`${alice.username}:${alice.password}`).toString("base64");
    for (const answer of ["HTTP/1.1 407 No\r\n\r\n", "HTTP/1.1 500 No\r\n\r\n", "no", ""]) {
      const conversation = await converse(t, { login: alice });
      await hear(conversation);
      conversation.proxy.end(answer);
      const error: unknown = await conversation.opened.catch((reason: unknown) => reason);
      assert.ok(error instanceof DialError);
      const told = `${error.message} ${String(error.cause)}`;
      assert.ok(!told.includes(alice.password) && !told.includes(encoded), told);
    }
  });
});
