import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import type { PacketRequest, ProxyRequest } from "../../src/proxy/inbound.js";
import { ServedClients } from "../../src/proxy/served-clients.js";
import { MemoryPackets } from "../helpers/memory-packets.js";
import { closed } from "../helpers/timing.js";

const source = { host: "192.0.2.7", port: 50_000 };

/** Somebody who wants a connection, and is served as long as it is open. */
function connectionOf(inbound: string, user: string | undefined) {
  const client = new PassThrough();
  const request: ProxyRequest = {
    ...{ inbound, user, client, source, destination: source },
    accept: () => undefined,
    reject: () => undefined,
  };
  return { client, request, routed: closed(client) };
}

/** The same for somebody who sends packets. */
function packetsOf(inbound: string, user: string | undefined) {
  const client = new MemoryPackets();
  const request: PacketRequest = { inbound, user, client, source };
  return { client, request, routed: client.closed };
}

describe("ServedClients", () => {
  it("ends the connections and the packets of those who are meant, and of nobody else", async () => {
    const clients = new ServedClients();
    const served = [
      connectionOf("a", "alice"),
      packetsOf("a", "alice"),
      connectionOf("a", "bob"),
      packetsOf("b", "alice"),
      connectionOf("a", undefined),
    ];
    const isOver = served.map(() => false);
    const all = served.map(async ({ request, routed }, index) => {
      await clients.add(request, routed);
      isOver[index] = true;
    });
    clients.cut((inbound, user) => inbound === "a" && user === "alice");
    await Promise.all(all.slice(0, 2));
    assert.deepEqual(isOver, [true, true, false, false, false]);

    clients.cut((_, user) => user === undefined);
    await all[4];
    assert.deepEqual(isOver, [true, true, false, false, true]);

    let isEnded = false;
    const ended = clients.ended().then(() => (isEnded = true));
    clients.cut((inbound) => inbound === "b");
    await all[3];
    assert.equal(isEnded, false);
    clients.cut(() => true);
    await ended;
    assert.deepEqual(isOver, [true, true, true, true, true]);
  });

  it("ends a connection as whoever asked for it would have it ended", async () => {
    const clients = new ServedClients();
    const { request, client, routed } = connectionOf("a", "alice");
    let cutCount = 0;
    const cut = () => {
      cutCount += 1;
      client.destroy();
    };
    const over = clients.add({ ...request, cut }, routed);
    clients.cut(() => true);
    await over;
    assert.equal(cutCount, 1);
  });

  it("forgets who has been served", async () => {
    const clients = new ServedClients();
    const { request, client, routed } = connectionOf("a", undefined);
    const over = clients.add(request, routed);
    client.destroy();
    await over;
    clients.cut(() => assert.fail("there is nobody"));
    await clients.ended();
  });
});
