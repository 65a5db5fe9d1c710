import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import { DialError } from "../../src/net/dial-error.js";
import { formatEndpoint } from "../../src/net/endpoint.js";
import type { Outbound } from "../../src/proxy/outbound.js";
import { ProxyInbound } from "../../src/proxy/proxy-inbound.js";
import { Router } from "../../src/proxy/router.js";
import { Routes } from "../../src/proxy/routes.js";
import { chainTrackers } from "../../src/track/connection-tracker.js";
import { closeAfter } from "../helpers/sockets.js";
import { cutAt, cuts, mutated, toText } from "./byte-text.js";
import { leavesNoSocket, playClient } from "./conversation.js";
import { fuzz, fuzzLimits } from "./fuzz.js";
import {
  expectedTarget,
  modelRequest,
  originHosts,
  writeRequest,
  type ModelRequest,
} from "./http-requests.js";
import { RawHttpOrigin } from "./raw-http-origin.js";
import { readRequests, valuesOf, type HeaderField, type ReadRequest } from "./strict-http.js";

/** A proxy all of whose destinations are one origin. */
interface Proxy {
  readonly origin: RawHttpOrigin;
  /** Sends pieces; with all that the client heard. */
  readonly send: (pieces: readonly Uint8Array[]) => Promise<string>;
}

async function startProxy(t: TestContext): Promise<Proxy> {
  const origin = new RawHttpOrigin();
  const originPort = await origin.start(t);
  const router = new Router({
    routes: new Routes({ final: outboundTo(originPort) }),
    tracker: chainTrackers([]),
  });
  const inbound = new ProxyInbound({
    tag: "in",
    type: "http",
    listen: { host: "127.0.0.1", port: 0 },
    onRequest: async (request) => router.route(request),
  });
  closeAfter(t, inbound);
  const { port } = await inbound.start();
  return { origin, send: async (pieces) => toText(await playClient({ port, pieces })) };
}

const knownDestinations = new Set(originHosts.map((host) => (host.includes(":") ? host : `${host}:80`)));

/** Reaches the origin under its own names only, and never a resolver. */
function outboundTo(port: number): Outbound {
  return {
    tag: "out",
    blocks: false,
    dial: async (destination) => {
      if (!knownDestinations.has(formatEndpoint(destination)))
        throw new DialError("refused", "no such origin");
      const connection = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      connection.on("error", () => connection.destroy());
      await once(connection, "connect");
      return { connection, boundTo: { host: "127.0.0.1", port } };
    },
  };
}

/** All requests that came to the origin, and the fewest things that must be true of them. */
function requestsOf(texts: readonly string[]): readonly ReadRequest[] {
  return texts.flatMap((text) => {
    assert.doesNotMatch(text, /^[\r\n]/);
    const { requests, rest } = readRequests(text);
    assert.notEqual(rest, "malformed", text);
    for (const { headers } of requests) {
      assert.equal(valuesOf(headers, "host").length, 1);
      const hop = headers.filter(([name, value]) => isHopByHop(name, value));
      assert.deepEqual(hop, []);
    }
    return requests;
  });
}

/** What a proxy may not pass on; `Connection` it writes for itself. */
function isHopByHop(name: string, value: string): boolean {
  if (/^connection$/i.test(name)) return !/^(keep-alive|close)$/.test(value);
  return /^(proxy-(connection|authenticate|authorization)|keep-alive|te|trailer|upgrade)$/i.test(name);
}

/** Without those that the proxy writes for itself. */
function endToEnd(headers: readonly HeaderField[]): readonly HeaderField[] {
  return headers.filter(([name]) => !/^(host|connection|content-length|transfer-encoding)$/i.test(name));
}

function expectedRequest(request: ModelRequest): object {
  return {
    method: request.method,
    target: expectedTarget(request),
    host: [request.host],
    headers: request.headers,
    body: (request.body ?? []).join(""),
  };
}

const sequence = fc.array(modelRequest, { minLength: 1, maxLength: 4 });

function writeSequence(requests: readonly ModelRequest[], endsByItself: boolean): string {
  return requests
    .map((request, index) => writeRequest(request, { isLast: endsByItself && index === requests.length - 1 }))
    .join("");
}

describe("plain HTTP through the proxy", () => {
  it("reaches the origin request by request as it was meant, however it is cut", fuzzLimits, async (t) => {
    const { origin, send } = await startProxy(t);
    await fuzz({
      name: "http-plain",
      inputs: fc.record({ requests: sequence, endsByItself: fc.boolean(), cuts }),
      holds: async ({ requests, endsByItself, cuts: offsets }) => {
        await leavesNoSocket(async () => {
          const heard = await send(cutAt(writeSequence(requests, endsByItself), offsets));
          const statuses = [...heard.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
          assert.deepEqual(
            statuses,
            requests.map(() => "200"),
            heard,
          );
        });
        const received = requestsOf(origin.take()).map(({ method, target, headers, body }) => {
          return { method, target, host: valuesOf(headers, "host"), headers: endToEnd(headers), body };
        });
        assert.deepEqual(received, requests.map(expectedRequest));
      },
    });
  });

  it(
    "with a few bytes changed asks the origin for nothing that a strict reader does not see",
    fuzzLimits,
    async (t) => {
      const { origin, send } = await startProxy(t);
      await fuzz({
        name: "http-changed",
        inputs: fc.record({
          sent: mutated(
            fc
              .tuple(sequence, fc.boolean())
              .map(([requests, endsByItself]) => writeSequence(requests, endsByItself)),
            { min: 1, max: 2 },
          ),
          cuts,
        }),
        holds: async ({ sent, cuts: offsets }) => {
          await leavesNoSocket(async () => {
            await send(cutAt(sent, offsets));
          });
          const received = requestsOf(origin.take()).map(gist);
          const meant = readRequests(sent).requests.map(gist);
          assert.deepEqual(received, commonOf(received, meant));
        },
      });
    },
  );
});

/** What a request is in short: the same for the proxy's client and for its origin. */
function gist({ method, target, body }: ReadRequest): string {
  const path = target.replace(/^http:\/\/[^/?]*/i, "").replace(/^(?=\?)/, "/");
  const isWhole = method === "OPTIONS" && path === "";
  return JSON.stringify([method, path === "" ? (isWhole ? "*" : "/") : path, body]);
}

/** Those of `received`, from the first on, that are in `meant` in the same order. */
function commonOf(received: readonly string[], meant: readonly string[]): readonly string[] {
  let next = 0;
  return received.filter((request) => {
    const found = meant.indexOf(request, next);
    if (found >= 0) next = found + 1;
    return found >= 0;
  });
}
