import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it } from "node:test";
import { localEndpointOf, remoteEndpointOf } from "../../src/net/socket-endpoint.js";
import { socketPair } from "../helpers/sockets.js";

describe("socket endpoints", () => {
  it("are the two ends of the connection, seen from either side", { timeout: 10_000 }, async (t) => {
    const { client, server } = await socketPair(t);
    assert.deepEqual(localEndpointOf(client), { host: "127.0.0.1", port: client.localPort });
    assert.deepEqual(remoteEndpointOf(client), { host: "127.0.0.1", port: server.localPort });
    assert.deepEqual(remoteEndpointOf(server), localEndpointOf(client));
    assert.deepEqual(localEndpointOf(server), remoteEndpointOf(client));
  });

  const addresses = [
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "::ffff:c000:201"],
    ["::1", "::1"],
    ["2001:db8::ffff:1", "2001:db8::ffff:1"],
  ] as const;
  for (const [address, host] of addresses) {
    it(`write ${address} as ${host}`, () => {
      const socket = new Socket();
      Object.defineProperties(socket, { remoteAddress: { value: address }, remotePort: { value: 7 } });
      assert.deepEqual(remoteEndpointOf(socket), { host, port: 7 });
    });
  }

  it("are unspecified once they are not known any more", () => {
    const socket = new Socket();
    assert.deepEqual(remoteEndpointOf(socket), { host: "0.0.0.0", port: 0 });
    assert.deepEqual(localEndpointOf(socket), { host: "0.0.0.0", port: 0 });
  });
});
