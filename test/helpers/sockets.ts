import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Socket, type AddressInfo, type Server, type ServerOpts } from "node:net";
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { TestContext } from "node:test";
import { tlsFixture } from "./tls.js";
import { turns } from "./timing.js";

/** Something that a test opened and that is closed after it. */
export type Closable =
  | {
      readonly destroyed: boolean;
      destroy: () => unknown;
      on: (event: "error", listener: () => void) => unknown;
    }
  | { readonly listening: boolean; close: () => unknown }
  | { readonly closed: Promise<void>; close: () => void }
  | { [Symbol.asyncDispose]: () => Promise<void> };

const cleanups = new WeakMap<TestContext, Closable[]>();

/**
 * Closes it after the test, last opened first. Afterwards the test fails if any socket or listener is open that was not
 * before it, whoever opened it: call it without anything to have just that.
 */
export function closeAfter(t: TestContext, ...opened: readonly Closable[]): void {
  const known = cleanups.get(t);
  if (known !== undefined) {
    known.push(...opened);
    return;
  }
  const cleanup: Closable[] = [...opened];
  cleanups.set(t, cleanup);
  const before = openSockets();
  t.after(async () => {
    for (const closable of cleanup.reverse()) await close(closable);
    // A closed handle goes away within a turn or two of the event loop, on both ends of a connection.
    for (let turn = 0; turn < 50 && openSockets().length > before.length; turn++) await turns(2);
    assert.deepEqual(beyond(openSockets(), before), [], "sockets left open by the test");
  });
}

/** What is in a list beyond what is in another one. There may be less: what closed just before a test takes a turn to go. */
function beyond(list: readonly string[], known: readonly string[]): string[] {
  const rest = [...known];
  return list.filter((item) => {
    const place = rest.indexOf(item);
    if (place >= 0) rest.splice(place, 1);
    return place < 0;
  });
}

/** The sockets (TCP and UDP), listeners and TLS sessions of this process that are open. */
export function openSockets(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /^(TCP|TLS|Connect|UDP)/.test(name))
    .sort();
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(t: TestContext, server: Server): Promise<AddressInfo> {
  closeAfter(t, server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return addressOf(server);
}

/** Where the server listens. */
export function addressOf(server: Server): AddressInfo {
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null, "the server does not listen on a port");
  return address;
}

/** A port of 127.0.0.1 where nobody listens (any more). */
export async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = addressOf(server);
  server.close();
  await once(server, "close");
  // Its handle goes away a little later, and shall be in nobody's list of what was open before.
  await turns(3);
  return port;
}

/** The two ends of one TCP connection over loopback. */
export interface SocketPair {
  /** The end that connected. */
  readonly client: Socket;
  /** The end that was accepted. */
  readonly server: Socket;
}

/** Connected sockets, half-open capable unless told otherwise; they are destroyed after the test. */
export async function socketPair(t: TestContext, options: ServerOpts = {}): Promise<SocketPair> {
  const listener = createServer({ allowHalfOpen: true, ...options });
  const { port } = await listen(t, listener);
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const accepted = new Promise<Socket>((resolve) => listener.once("connection", resolve));
  await once(client, "connect");
  const server = await accepted;
  listener.close();
  closeAfter(t, client, server);
  for (const socket of [client, server]) socket.on("error", ignore);
  return { client, server };
}

/** The two ends of one TLS connection over loopback. */
export interface TlsPair {
  readonly client: TLSSocket;
  readonly server: TLSSocket;
}

/** Connected TLS sockets, half-open capable; they are destroyed after the test. */
export async function tlsPair(t: TestContext): Promise<TlsPair> {
  const listener = createTlsServer({ ...tlsFixture, allowHalfOpen: true });
  const { port } = await listen(t, listener);
  const accepted = new Promise<TLSSocket>((resolve) => listener.once("secureConnection", resolve));
  // Node documents `allowHalfOpen` here, its types lack it.
  const options = {
    port,
    host: "127.0.0.1",
    servername: "localhost",
    ca: tlsFixture.cert,
    allowHalfOpen: true,
  };
  const client = connectTls(options);
  await once(client, "secureConnect");
  const server = await accepted;
  listener.close();
  closeAfter(t, client, server);
  for (const socket of [client, server]) socket.on("error", ignore);
  return { client, server };
}

async function close(closable: Closable): Promise<void> {
  // Node's own streams and servers can be disposed of, too, but fail if that cuts them.
  if ("destroyed" in closable) {
    closable.on("error", ignore);
    closable.destroy();
  } else if ("listening" in closable) {
    if (closable.listening) closable.close();
  } else if ("closed" in closable) {
    closable.close();
    await closable.closed;
  } else {
    await closable[Symbol.asyncDispose]();
  }
}

function ignore(): void {
  // The close that follows is what counts.
}
