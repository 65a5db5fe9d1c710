import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, it, type TestContext } from "node:test";
import { dial } from "../../src/net/dial.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { LocalAddresses } from "../../src/net/local-addresses.js";
import { OwnSockets } from "../../src/net/own-sockets.js";
import { localEndpointOf, remoteEndpointOf } from "../../src/net/socket-endpoint.js";
import { openSocket, withoutIPv6 } from "../helpers/datagram-sockets.js";
import { addressOf, closeAfter, closedPort } from "../helpers/sockets.js";
import { closed, event, turns, until } from "../helpers/timing.js";

const io = { timeout: 10_000 };
const ipv6 = { ...io, skip: withoutIPv6 };

interface Listening {
  readonly port: number;
  /** Both ends of each accepted connection, and whether it was known as one of ours when it was accepted. */
  readonly accepted: { readonly source: Endpoint; readonly local: Endpoint; readonly isOwn: boolean }[];
}

async function listen(t: TestContext, own: OwnSockets, host: string): Promise<Listening> {
  const accepted: Listening["accepted"] = [];
  const server = createServer((socket) => {
    closeAfter(t, socket);
    const [source, local] = [remoteEndpointOf(socket), localEndpointOf(socket)];
    accepted.push({ source, local, isOwn: own.isConnection(source, local) });
    socket.resume();
  });
  closeAfter(t, server);
  server.listen(0, host);
  await event(server, "listening");
  return { port: addressOf(server).port, accepted };
}

async function ended(socket: Socket): Promise<void> {
  socket.destroy();
  await closed(socket);
}

describe("OwnSockets", () => {
  const ways: readonly (readonly [listen: string, host: string, skip: typeof io])[] = [
    ["127.0.0.1", "127.0.0.1", io],
    ["0.0.0.0", "127.0.0.2", io],
    ["0.0.0.0", "0.0.0.0", io],
    ["::", "127.0.0.1", ipv6],
    ["::", "::ffff:127.0.0.1", ipv6],
    ["::", "::1", ipv6],
    ["::", "0:0:0:0:0:0:0:1", ipv6],
    ["::", "::", ipv6],
  ];
  for (const [at, host, options] of ways) {
    it(`knows a connection to ${host} when it is accepted at ${at}, until it closes`, options, async (t) => {
      const ownSockets = new OwnSockets();
      const { port, accepted } = await listen(t, ownSockets, at);
      // It is accepted before it is known to be connected; more than one, since that may be chance.
      for (let count = 1; count <= 5; count++) {
        const socket = await dial({ host, port }, { ownSockets });
        closeAfter(t, socket);
        await until(() => accepted.length === count);
        assert.equal(accepted[count - 1]?.isOwn, true);
        assert.equal(ownSockets.count, 1);
        assert.deepEqual(localEndpointOf(socket), accepted[count - 1]?.source);
        await ended(socket);
        assert.equal(ownSockets.count, 0);
      }
      const [{ source, local } = assert.fail()] = accepted;
      assert.equal(ownSockets.isConnection(source, local), false);
    });
  }

  it(
    "does not take another's connection for one of ours, be it from the same address and port",
    io,
    async (t) => {
      const ownSockets = new OwnSockets();
      const [one, two] = [await listen(t, ownSockets, "127.0.0.1"), await listen(t, ownSockets, "127.0.0.1")];
      const ours = await dial({ host: "127.0.0.1", port: one.port }, { ownSockets });
      const theirs = connect({ host: "127.0.0.1", port: two.port });
      closeAfter(t, ours, theirs);
      await until(() => one.accepted.length + two.accepted.length === 2);
      assert.deepEqual([one.accepted[0]?.isOwn, two.accepted[0]?.isOwn], [true, false]);
      const source = localEndpointOf(ours);
      assert.equal(ownSockets.isConnection(source, { host: "127.0.0.1", port: two.port }), false);
    },
  );

  it("forgets attempts that fail", io, async (t) => {
    closeAfter(t);
    const ownSockets = new OwnSockets();
    const lookup = async () => Promise.resolve(["127.0.0.1", "127.0.0.2"]);
    const dialled = dial({ host: "name.test", port: await closedPort() }, { lookup, ownSockets });
    await assert.rejects(dialled, { code: "refused" });
    await turns(3);
    assert.equal(ownSockets.count, 0);
  });

  it("knows a sender by the address that it is bound to, until it closes", io, async (t) => {
    const ownSockets = new OwnSockets();
    const { socket } = openSocket(t);
    const { port } = socket.local;
    ownSockets.addSender(socket);
    assert.equal(ownSockets.isSender({ host: "127.0.0.1", port }), true);
    assert.equal(ownSockets.isSender({ host: "127.0.0.2", port }), false);
    assert.equal(ownSockets.isSender({ host: "127.0.0.1", port: port - 1 }), false);
    socket.close();
    await socket.closed;
    await turns(1);
    assert.equal(ownSockets.isSender({ host: "127.0.0.1", port }), false);
    assert.equal(ownSockets.count, 0);
  });

  it("knows a sender that is bound to no address by those of this machine, and of its family", io, (t) => {
    const ownSockets = new OwnSockets();
    const { socket } = openSocket(t, "0.0.0.0");
    const { port } = socket.local;
    ownSockets.addSender(socket);
    const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each);
    for (const { address, family } of addresses) {
      assert.equal(ownSockets.isSender({ host: address, port }), family === "IPv4", address);
    }
    assert.equal(ownSockets.isSender({ host: "127.1.2.3", port }), true);
    assert.equal(ownSockets.isSender({ host: "192.0.2.1", port }), false);
  });

  it("knows a sender over IPv6 that is bound to no address", ipv6, (t) => {
    const ownSockets = new OwnSockets();
    const { socket } = openSocket(t, "::");
    const { port } = socket.local;
    ownSockets.addSender(socket);
    assert.equal(ownSockets.isSender({ host: "::1", port }), true);
    assert.equal(ownSockets.isSender({ host: "2001:db8::1", port }), false);
    assert.equal(ownSockets.isSender({ host: "127.0.0.1", port }), false);
  });

  it("knows a sender that is bound to no address by one that no interface tells of", io, (t) => {
    const leadsHere = (address: string) => address === "192.0.2.7";
    const ownSockets = new OwnSockets(new LocalAddresses({ list: () => [], leadsHere }));
    const { socket } = openSocket(t, "0.0.0.0");
    const { port } = socket.local;
    ownSockets.addSender(socket);
    assert.equal(ownSockets.isSender({ host: "192.0.2.7", port }), true);
    assert.equal(ownSockets.isSender({ host: "192.0.2.8", port }), false);
  });

  it("knows a connection whichever way the interface of its address is named", io, async (t) => {
    const ownSockets = new OwnSockets();
    const { port } = await listen(t, ownSockets, "127.0.0.1");
    const socket = connect({ host: "127.0.0.1", port });
    closeAfter(t, socket);
    ownSockets.addConnecting(socket, { host: "fe80::1%2", port });
    await event(socket, "connect");
    const source = localEndpointOf(socket);
    assert.equal(ownSockets.isConnection(source, { host: "fe80::1%eth0", port }), true);
    assert.equal(ownSockets.isConnection(source, { host: "fe80::2%eth0", port }), false);
  });
});
