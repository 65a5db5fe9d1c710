import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import type { TestContext } from "node:test";
import { DatagramSocket } from "../../src/net/datagram-socket.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { ListenError } from "../../src/net/listen-error.js";
import { eventually } from "./eventually.js";
import type { TestPacket } from "./memory-packets.js";
import { closeAfter } from "./sockets.js";

/** For `skip`: why tests of IPv6 cannot run here. */
export const withoutIPv6 = hasIPv6() ? false : "this machine has no IPv6";

/** A socket under test. */
export interface OpenedSocket {
  readonly socket: DatagramSocket;
  /** What it has received. */
  readonly received: TestPacket[];
  /** Resolves when that many datagrams have been received. */
  readonly arrived: (count: number) => Promise<void>;
  /** Sends from it; resolves with what the sender is told. */
  readonly send: (datagram: Buffer | readonly Buffer[], to: Endpoint) => Promise<Error | undefined>;
}

/** Binds a socket, to a free port of 127.0.0.1 unless told otherwise; it is closed after the test. */
export function openSocket(t: TestContext, host = "127.0.0.1", port = 0): OpenedSocket {
  closeAfter(t);
  const received: TestPacket[] = [];
  const socket = new DatagramSocket({
    local: { host, port },
    onDatagram: (payload, endpoint) => received.push({ payload, endpoint }),
  });
  closeAfter(t, socket);
  return {
    socket,
    received,
    arrived: async (count) =>
      eventually(() => {
        assert.equal(received.length, count);
      }),
    send: async (datagram, to) =>
      new Promise((resolve) => {
        socket.send(datagram, to, resolve);
      }),
  };
}

/** Fails to bind; with the error. */
export function bindError(local: Endpoint): ListenError {
  try {
    new DatagramSocket({ local, onDatagram: () => undefined }).close();
  } catch (error) {
    assert.ok(error instanceof ListenError, String(error));
    return error;
  }
  assert.fail("it was bound");
}

/** The code of an error, if it has one; otherwise the error. */
export function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : error;
}

function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === "::1"),
  );
}
