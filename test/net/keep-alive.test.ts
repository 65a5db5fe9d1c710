import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { dial } from "../../src/net/dial.js";
import { tcpKeepAlive } from "../../src/net/keep-alive.js";
import { TcpListener } from "../../src/net/tcp-listener.js";
import { kernelEnd, needsKernelTable } from "../helpers/kernel-table.js";
import { closeAfter, listen, socketPair } from "../helpers/sockets.js";
import { event, until } from "../helpers/timing.js";

const asksKernel = { timeout: 10_000, ...needsKernelTable };
const fiveMinutesMs = 300_000;
/** How much of the time may be over until the test looks. */
const allowanceMs = 10_000;

/** Until the kernel probes whether the other end of an idle socket is still there. */
function keepAliveInMs({ localPort = 0, remotePort = 0 }: Socket): number | undefined {
  return kernelEnd(localPort, remotePort)?.keepAliveInMs;
}

async function accepted(t: TestContext): Promise<Socket> {
  const sockets: Socket[] = [];
  const listener = new TcpListener({ onConnection: (socket) => sockets.push(socket) });
  closeAfter(t, listener);
  const client = connect(await listener.listen({ host: "127.0.0.1", port: 0 }));
  client.on("error", () => undefined);
  closeAfter(t, client);
  await event(client, "connect");
  await until(() => sockets.length === 1);
  return sockets[0] ?? assert.fail("nothing was accepted");
}

async function dialled(t: TestContext): Promise<Socket> {
  const server = createServer((socket) => {
    closeAfter(t, socket);
  });
  const { port } = await listen(t, server);
  const connected = event(server, "connection");
  // The winner of a race, that of the second address: nobody listens at 127.0.0.2.
  const lookup = async () => Promise.resolve(["127.0.0.2", "127.0.0.1"]);
  const socket = await dial({ host: "two.test", port }, { lookup });
  closeAfter(t, socket);
  await connected;
  return socket;
}

describe("tcpKeepAlive", () => {
  it("is on, and asks after five minutes", () => {
    assert.deepEqual(tcpKeepAlive, { keepAlive: true, keepAliveInitialDelay: fiveMinutesMs });
  });

  const kinds = [
    ["accepted", accepted],
    ["dialled", dialled],
  ] as const;
  for (const [kind, open] of kinds) {
    it(`has the kernel probe a socket that was ${kind}`, asksKernel, async (t) => {
      const dueMs = keepAliveInMs(await open(t)) ?? assert.fail("no keep-alive probe is due");
      assert.ok(dueMs > fiveMinutesMs - allowanceMs, `the first probe is due in ${dueMs} ms already`);
      assert.ok(dueMs <= fiveMinutesMs, `the first probe is due in ${dueMs} ms only`);
    });
  }

  it("is what does it: the kernel probes no other socket", asksKernel, async (t) => {
    const { client, server } = await socketPair(t);
    assert.deepEqual([keepAliveInMs(client), keepAliveInMs(server)], [undefined, undefined]);
  });
});
