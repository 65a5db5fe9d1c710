import assert from "node:assert/strict";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { formatEndpoint, type Endpoint } from "../src/net/endpoint.js";
import type { User } from "../src/proxy/users.js";
import { readAll } from "./helpers/bytes.js";
import { startDestination } from "./helpers/destination.js";
import { basicLogin, connectHead } from "./helpers/http-client.js";
import { connectTo } from "./helpers/proxy.js";
import { alice, bob, startRoutedApp } from "./helpers/routed-app.js";
import { countedFor, outcomeOf } from "./helpers/routed-outcome.js";
import { listen } from "./helpers/sockets.js";
import { socks5Greeting, socks5Login, socks5Request } from "./helpers/socks5-client.js";

const io = { timeout: 10_000 };
const never = new AbortController().signal;
describe("App's routes", () => {
  const byInbound = { rules: [{ inbound: "open", outbound: "two" }] };
  const byUser = { rules: [{ auth_user: "alice", outbound: "two" }] };
  const byBoth = { rules: [{ inbound: "login", auth_user: ["bob"], outbound: "two" }], final: "no" };
  const both = {
    rules: [
      { inbound: ["login"], auth_user: "bob", outbound: "no" },
      { inbound: ["open", "login"], outbound: "two" },
      { inbound: ["open", "login"], outbound: "no" },
    ],
    final: "one",
  };
  const cases: readonly (readonly [
    what: string,
    route: object,
    inbound: string,
    user: User | undefined,
    outbound: string,
    rule: string,
  ])[] = [
    ["the first outbound without rules", {}, "open", undefined, "one", "final"],
    ["the final one without rules", { final: "two" }, "login", bob, "two", "final"],
    ["a rule's, for its inbound", byInbound, "open", undefined, "two", "rules[0]"],
    ["the first one, for another inbound", byInbound, "login", alice, "one", "final"],
    ["a rule's, for its user", byUser, "login", alice, "two", "rules[0]"],
    ["the first one, for another user", byUser, "login", bob, "one", "final"],
    ["the first one, for nobody", byUser, "open", undefined, "one", "final"],
    ["a rule's, if all its conditions are met", byBoth, "login", bob, "two", "rules[0]"],
    ["the final one, if the user is another", byBoth, "login", alice, "no", "final"],
    ["the final one, if the inbound is another", byBoth, "open", undefined, "no", "final"],
    ["the first rule's of several that match", both, "login", bob, "no", "rules[0]"],
    ["a later rule's, if the first does not match", both, "login", alice, "two", "rules[1]"],
    ["a later rule's, before one that matches, too", both, "open", undefined, "two", "rules[1]"],
    ["the only rule's", { rules: { inbound: "open", outbound: "no" } }, "open", undefined, "no", "rules[0]"],
    [
      "a rule's in place of the final one",
      { ...byInbound, final: "no" },
      "open",
      undefined,
      "two",
      "rules[0]",
    ],
  ];
  for (const [what, route, inbound, user, outbound, rule] of cases) {
    it(`take a connection to ${what}`, io, async (t) => {
      assert.deepEqual(await outcomeOf(t, await startRoutedApp(t, { route }), { inbound, user }), {
        reply: outbound === "no" ? 2 : 0,
        outbound,
        rule,
        counted: outbound === "no" ? [] : countedFor(outbound),
      });
    });
  }

  it("take a connection to outbounds that are called by their index", io, async (t) => {
    const config = {
      inbounds: [{ type: "socks", listen_port: 0 }],
      outbounds: [{ type: "block" }, { type: "direct" }],
      route: { rules: { inbound: "0", outbound: "1" } },
      experimental: { v2ray_api: { stats: { enabled: true, outbounds: ["0", "1"] } } },
    };
    assert.deepEqual(await outcomeOf(t, await startRoutedApp(t, config), { inbound: "0" }), {
      reply: 0,
      outbound: "1",
      rule: "rules[0]",
      counted: countedFor("1"),
    });
  });
});

describe("An outbound that blocks", () => {
  const block = { type: "block", tag: "no" };
  const direct = { type: "direct", tag: "one" };
  const places: readonly (readonly [what: string, config: object])[] = [
    [
      "of a rule",
      { outbounds: [direct, block], route: { rules: { inbound: ["open", "login"], outbound: "no" } } },
    ],
    ["as the final one", { outbounds: [direct, block], route: { final: "no" } }],
    ["as the first one", { outbounds: [block, direct] }],
    [
      "of the action reject",
      {
        outbounds: [direct, block],
        route: { rules: { ip_cidr: "127.0.0.1", domain: "localhost", action: "reject" } },
      },
    ],
  ];

  // Answers are compared in hexadecimal.
  const http403 = new RegExp(`^${hexOf("HTTP/1.1 403 Forbidden\r\n")}`);
  const requests: readonly (readonly [
    protocol: string,
    inbound: string,
    request: (destination: Endpoint) => Buffer | string,
    answer: RegExp,
  ])[] = [
    ["SOCKS4", "open", ({ port }) => Buffer.of(4, 1, port >> 8, port & 0xff, 127, 0, 0, 1, 0), /^005b.{12}$/],
    [
      "SOCKS4a",
      "open",
      ({ port }) =>
        Buffer.concat([Buffer.of(4, 1, port >> 8, port & 0xff, 0, 0, 0, 1, 0), Buffer.from("localhost\0")]),
      /^005b.{12}$/,
    ],
    ["SOCKS5", "open", (to) => Buffer.concat([socks5Greeting(0), socks5Request(to)]), /^050005020001.{12}$/],
    [
      "SOCKS5 with a login",
      "login",
      (to) => Buffer.concat([socks5Greeting(2), socks5Login("alice", "a"), socks5Request(to)]),
      /^0502010005020001.{12}$/,
    ],
    ["CONNECT", "open", (to) => connectHead(formatEndpoint(to)), http403],
    ["CONNECT with a login", "login", (to) => connectHead(formatEndpoint(to), basicLogin(bob)), http403],
    ["GET", "open", (to) => getHead(to), http403],
    ["GET with a login", "login", (to) => getHead(to, basicLogin(alice)), http403],
  ];
  for (const [what, config] of places) {
    for (const [protocol, inbound, request, answer] of requests) {
      it(`${what} tells a client of ${protocol} so, dials nobody and counts nothing`, io, async (t) => {
        const stats = {
          enabled: true,
          inbounds: ["open", "login"],
          outbounds: ["one", "no"],
          users: ["alice", "bob"],
        };
        const { app, logger, proxyOf } = await startRoutedApp(t, {
          ...config,
          experimental: { v2ray_api: { stats } },
        });
        const destination = await startDestination(t);
        const client = await connectTo(t, proxyOf(inbound));
        client.write(request(destination.endpoint));
        assert.match(hexOf(await readAll(client)), answer);
        client.end();
        await app.stop(never);
        assert.equal(destination.acceptedCount, 0);
        assert.equal(app.store.size, 0);
        assert.deepEqual(logger.messages("info"), ["connection blocked"]);
      });
    }
  }
});

function hexOf(bytes: Buffer | string): string {
  return Buffer.from(bytes).toString("hex");
}

function getHead(destination: Endpoint, ...headers: readonly string[]): string {
  const host = formatEndpoint(destination);
  return [`GET http://${host}/ HTTP/1.1`, `Host: ${host}`, "Connection: close", ...headers, "", ""].join(
    "\r\n",
  );
}

describe("An inbound", () => {
  const socks5 = (to: Endpoint) => Buffer.concat([socks5Greeting(0), socks5Request(to)]);
  const http = (to: Endpoint) => connectHead(formatEndpoint(to));
  const http200 = hexOf("HTTP/1.1 200 ");
  const cases: readonly (readonly [
    what: string,
    type: string,
    request: (to: Endpoint) => Buffer | string,
    answer: RegExp,
  ])[] = [
    ["socks serves SOCKS5", "socks", socks5, /^05000500/],
    ["http serves CONNECT", "http", http, new RegExp(`^${http200}`)],
    ["socks refuses CONNECT", "socks", http, new RegExp(`^(?!${http200})`)],
    ["http refuses SOCKS5", "http", socks5, /^(?!05)/],
  ];
  for (const [what, type, request, answer] of cases) {
    it(`of the type ${what}`, io, async (t) => {
      const { app, proxyOf } = await startRoutedApp(t, {
        inbounds: [{ type, tag: "open", listen_port: 0 }],
        experimental: {},
      });
      const server = createServer((socket) => socket.resume().end());
      const { port } = await listen(t, server);
      const client = await connectTo(t, proxyOf("open"));
      client.write(request({ host: "127.0.0.1", port }));
      const bytes = await readAll(client);
      assert.match(hexOf(bytes), answer);
      client.end();
      await app.stop(never);
    });
  }
});
