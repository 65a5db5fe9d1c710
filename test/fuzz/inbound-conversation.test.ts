import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import type { Endpoint } from "../../src/net/endpoint.js";
import { formatEndpoint } from "../../src/net/endpoint.js";
import type { ProxyRequest } from "../../src/proxy/inbound.js";
import { ProxyInbound } from "../../src/proxy/proxy-inbound.js";
import { formatSocks4Reply, socks4Replies } from "../../src/proxy/socks/socks4.js";
import {
  formatMethodChoice,
  formatReply,
  socks5Methods,
  socks5Replies,
} from "../../src/proxy/socks/socks5.js";
import { connectHead } from "../helpers/http-client.js";
import { socks4Request } from "../helpers/socks4-client.js";
import { closeAfter } from "../helpers/sockets.js";
import { socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { closed } from "../helpers/timing.js";
import { anyBytes, cutAt, cuts, mutated, toText } from "./byte-text.js";
import { leavesNoSocket, playClient } from "./conversation.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

const boundTo = { host: "192.0.2.1", port: 1080 };
const alice = { username: "alice", password: "secret" };

/** A mixed inbound that echoes whatever a request's client sends. */
interface EchoingInbound {
  readonly port: number;
  /** The destinations that were asked for since the last call. */
  takeDestinations(): readonly Endpoint[];
}

async function startEcho(t: TestContext, users: readonly (typeof alice)[] = []): Promise<EchoingInbound> {
  let destinations: Endpoint[] = [];
  const onRequest = async (request: ProxyRequest): Promise<void> => {
    destinations.push(request.destination);
    request.accept(boundTo);
    await echo(request.client);
  };
  const listen = { host: "127.0.0.1", port: 0 };
  const inbound = new ProxyInbound({ tag: "in", type: "mixed", listen, users, onRequest });
  closeAfter(t, inbound);
  return {
    port: (await inbound.start()).port,
    takeDestinations: () => {
      const taken = destinations;
      destinations = [];
      return taken;
    },
  };
}

async function echo(client: Duplex): Promise<void> {
  client.on("error", () => client.destroy());
  client.pipe(client);
  await closed(client);
}

/** How a client asks for a connection, and what it hears if it gets one. */
interface Handshake {
  readonly protocol: "socks4" | "socks5" | "http";
  readonly destination: Endpoint;
}

const hostName = fc.stringMatching(/^[a-z][a-z0-9.-]{0,80}$/);
const destination = fc.record({
  host: fc.oneof(hostName, fc.constant("192.0.2.7")),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const handshake: fc.Arbitrary<Handshake> = fc.record({
  protocol: fc.constantFrom("socks4", "socks5", "http"),
  destination,
});

function sentIn({ protocol, destination: to }: Handshake): string {
  switch (protocol) {
    case "socks4":
      return toText(socks4Request(to, { userId: "alice" }));
    case "socks5":
      return toText(Buffer.concat([socks5Greeting(2, 0), socks5Request(to)]));
    case "http":
      return connectHead(formatEndpoint(to));
  }
}

function heardIn({ protocol }: Handshake): string {
  switch (protocol) {
    case "socks4":
      return toText(formatSocks4Reply(socks4Replies.granted, boundTo));
    case "socks5":
      return toText(
        Buffer.concat([
          formatMethodChoice(socks5Methods.anonymous),
          formatReply(socks5Replies.succeeded, boundTo),
        ]),
      );
    case "http":
      return "HTTP/1.1 200 Connection established\r\n\r\n";
  }
}

const plainRequest = fc
  .tuple(
    fc.constantFrom("GET", "POST", "OPTIONS"),
    fc.constantFrom("", "Content-Length: 3\r\n", "Connection: close\r\n"),
  )
  .map(([method, header]) => `${method} http://a.test/ HTTP/1.1\r\nHost: a.test\r\n${header}\r\nabc`);
const login = toText(
  Buffer.concat([
    socks5Greeting(2),
    socks5Login("alice", "secret"),
    socks5Request({ host: "a.test", port: 1 }),
  ]),
);
const semiValid = mutated(
  fc
    .tuple(fc.oneof(handshake.map(sentIn), plainRequest, fc.constant(login)), anyBytes(30))
    .map((texts) => texts.join("")),
);

describe("a mixed inbound", () => {
  for (const [title, users] of [
    ["whom everyone may use", []],
    ["with users", [alice]],
  ] as const) {
    it(`${title} comes to an end with whatever a client sends`, fuzzLimits, async (t) => {
      const inbound = await startEcho(t, users);
      await fuzz({
        name: users.length === 0 ? "inbound-anything" : "inbound-anything-users",
        inputs: fc.record({
          sent: fc.oneof({ arbitrary: anyBytes(), weight: 1 }, { arbitrary: semiValid, weight: 3 }),
          cuts,
          ending: fc.constantFrom("end", "end", "end", "reset"),
        }),
        holds: async ({ sent, cuts: offsets, ending }) => {
          const pieces = cutAt(sent, offsets);
          await leavesNoSocket(async () => {
            await playClient({ port: inbound.port, pieces, ending });
          });
          const asked = inbound.takeDestinations();
          for (const { host, port } of asked) {
            assert.match(host, /^[^\p{Cc}\p{Z}]+$/u);
            assert.ok(port >= 0 && port <= 65_535);
          }
        },
      });
    });
  }

  it("hands early payload over whole, however a handshake is cut", fuzzLimits, async (t) => {
    const inbound = await startEcho(t);
    await fuzz({
      name: "inbound-early-payload",
      inputs: fc.record({ handshake, payload: anyBytes(600), cuts }),
      holds: async ({ handshake: asked, payload, cuts: offsets }) => {
        const pieces = cutAt(sentIn(asked) + payload, offsets);
        await leavesNoSocket(async () => {
          const heard = await playClient({ port: inbound.port, pieces });
          assert.equal(toText(heard), heardIn(asked) + payload);
        });
        assert.deepEqual(inbound.takeDestinations(), [asked.destination]);
      },
    });
  });
});
