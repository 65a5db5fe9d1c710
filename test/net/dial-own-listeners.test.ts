import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { dial } from "../../src/net/dial.js";
import { DialError } from "../../src/net/dial-error.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { LocalAddresses } from "../../src/net/local-addresses.js";
import { OwnListeners } from "../../src/net/own-listeners.js";
import { closeAfter, closedPort, listen } from "../helpers/sockets.js";
import { until } from "../helpers/timing.js";

const io = { timeout: 10_000 };

interface Listening {
  readonly port: number;
  readonly accepted: readonly Socket[];
}

async function startListener(t: TestContext): Promise<Listening> {
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    closeAfter(t, socket);
  });
  const { port } = await listen(t, server);
  return { port, accepted };
}

function owning(port: number): OwnListeners {
  const own = new OwnListeners(new LocalAddresses({ list: () => ["192.0.2.1"] }));
  own.add("tcp", port);
  return own;
}

/** As if one address alone were this machine's. */
function isThere(_network: string, { host }: Endpoint): boolean {
  return host === "127.0.0.2";
}

async function errorOf(dialing: Promise<Socket>): Promise<DialError> {
  const outcome: unknown = await dialing.catch((error: unknown) => error);
  assert.ok(outcome instanceof DialError);
  return outcome;
}

describe("dial() where we listen ourselves", () => {
  for (const host of ["127.0.0.1", "::ffff:127.0.0.1", "0.0.0.0", "192.0.2.1"]) {
    it(`does not connect to ${host}`, io, async (t) => {
      const { port, accepted } = await startListener(t);
      const { code, message } = await errorOf(dial({ host, port }, { ownListeners: owning(port) }));
      assert.equal(code, "own-listener");
      assert.equal(message, `connect to ${at(host, port)}: the proxy itself listens on ${at(host, port)}`);
      assert.deepEqual(accepted, []);
    });
  }

  it("does not connect to what a name leads to, none of its addresses", io, async (t) => {
    const { port, accepted } = await startListener(t);
    const addresses = ["127.0.0.1", "::1", "127.0.0.2", "192.0.2.1"];
    const options = { ownListeners: owning(port), lookup: async () => Promise.resolve(addresses) };
    const { code, message } = await errorOf(dial({ host: "rebound.test", port }, options));
    assert.equal(code, "own-listener");
    assert.match(message, /^connect to rebound\.test:\d+: the proxy itself listens on 127\.0\.0\.1:\d+$/);
    assert.deepEqual(accepted, []);
  });

  it("goes on to the addresses that lead elsewhere", io, async (t) => {
    const { port, accepted } = await startListener(t);
    const ownListeners = Object.assign(new OwnListeners(), { has: isThere });
    const lookup = async () => Promise.resolve(["127.0.0.2", "127.0.0.1"]);
    const socket = await dial({ host: "a.test", port }, { ownListeners, lookup });
    closeAfter(t, socket);
    assert.equal(socket.remoteAddress, "127.0.0.1");
    await until(() => accepted.length === 1);
  });

  it("says so, rather than that another address refuses", io, async () => {
    const port = await closedPort();
    const ownListeners = Object.assign(new OwnListeners(), { has: isThere });
    for (const addresses of [
      ["127.0.0.1", "127.0.0.2"],
      ["127.0.0.2", "127.0.0.1"],
    ]) {
      const options = { ownListeners, lookup: async () => Promise.resolve(addresses) };
      assert.equal((await errorOf(dial({ host: "a.test", port }, options))).code, "own-listener");
    }
  });

  it("connects when nobody listens there any more, and to other ports", io, async (t) => {
    const { port } = await startListener(t);
    const ownListeners = new OwnListeners();
    const forget = ownListeners.add("tcp", port);
    ownListeners.add("udp", port);
    await errorOf(dial({ host: "127.0.0.1", port }, { ownListeners }));
    const another = await startListener(t);
    closeAfter(t, await dial({ host: "127.0.0.1", port: another.port }, { ownListeners }));
    forget();
    closeAfter(t, await dial({ host: "127.0.0.1", port }, { ownListeners }));
  });
});

function at(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
