import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Endpoint } from "../../src/net/endpoint.js";
import { basicLogin } from "../helpers/http-client.js";
import { requestHead } from "../helpers/http-messages.js";
import type { KernelTable } from "../helpers/kernel-table.js";
import { queuedBytes } from "../helpers/kernel-queues.js";
import { proxyProtocols, type ProxyProtocol } from "../helpers/proxy.js";
import { Flood } from "./flood.js";
import { HeadReader } from "./short-exchange.js";
import type { Stage } from "./stage.js";
import { users } from "./users.js";

/** Who reads nothing: the clients, or the origins. */
export type StalledReader = "clients" | "origins";

/** A transfer whose reader reads nothing, seen from both ends. */
export interface StalledTransfer {
  readonly way: ProxyProtocol | "plain";
  readonly client: Socket;
  readonly origin: Socket;
  readonly flood: Flood;
  /** What the client had received before there was anything to read: the proxy's answer. */
  readonly answerBytes: number;
}

/** What a client says to have the origin begin. */
const goWord = Buffer.from("go\n");

/** How much is said before each flood that is counted, too. */
export const goBytes = goWord.length;

/** The server at the other end of stalled transfers. It does nothing by itself. */
export class StallingOrigin {
  readonly server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true });
  endpoint: Endpoint = { host: "", port: 0 };

  /** The connection that comes next. To be asked for before it comes, by one at a time. */
  async accept(): Promise<Socket> {
    const [socket] = (await once(this.server, "connection")) as [Socket];
    return socket;
  }
}

/** Opens a transfer to a client that reads nothing. */
export async function stallClient(
  stage: Stage,
  origin: StallingOrigin,
  index: number,
  offeredBytes: number,
): Promise<StalledTransfer> {
  const ways = [...proxyProtocols, "plain"] as const;
  const way = ways[index % ways.length] ?? "plain";
  const destination = origin.endpoint;
  const accepted = origin.accept();
  if (way === "plain") {
    const client = await stage.connect();
    const { host, port } = destination;
    client.write(requestHead("GET", `http://${host}:${port}/`, basicLogin(users.plain)));
    const remote = await accepted;
    await headOf(remote);
    remote.write(`HTTP/1.1 200 OK\r\nContent-Length: ${offeredBytes}\r\n\r\n`);
    return { way, client, origin: remote, flood: new Flood(remote, offeredBytes), answerBytes: 0 };
  }
  const client = await stage.openTunnel({ protocol: way, destination, user: users.whole });
  const answerBytes = client.bytesRead;
  client.write(goWord);
  const remote = await accepted;
  remote.resume();
  await once(remote, "data");
  return { way, client, origin: remote, flood: new Flood(remote, offeredBytes), answerBytes };
}

/** Opens a transfer to an origin that reads nothing. */
export async function stallOrigin(
  stage: Stage,
  origin: StallingOrigin,
  index: number,
  offeredBytes: number,
): Promise<StalledTransfer> {
  const way = proxyProtocols[index % proxyProtocols.length] ?? "socks5";
  const accepted = origin.accept();
  const client = await stage.openTunnel({
    protocol: way,
    destination: origin.endpoint,
    user: users.whole,
  });
  const answerBytes = client.bytesRead;
  return { way, client, origin: await accepted, flood: new Flood(client, offeredBytes), answerBytes };
}

/** What a client has been sent as far as the kernel is concerned: it has read it, or it could. */
export function takenForClient({ client, answerBytes }: StalledTransfer, table: KernelTable): number {
  const { localPort = 0, remotePort = 0 } = client;
  return client.bytesRead - answerBytes + queuedBytes({ from: remotePort, to: localPort }, table);
}

/** The same for an origin. */
export function takenForOrigin({ origin }: StalledTransfer, table: KernelTable): number {
  const { localPort = 0, remotePort = 0 } = origin;
  return origin.bytesRead + queuedBytes({ from: remotePort, to: localPort }, table);
}

/** No more than this can have been read from an origin that sends. */
export function atMostReadFromOrigin({ origin }: StalledTransfer, table: KernelTable): number {
  const { localPort = 0, remotePort = 0 } = origin;
  return origin.bytesWritten - queuedBytes({ from: localPort, to: remotePort }, table);
}

async function headOf(socket: Socket): Promise<string> {
  const reader = new HeadReader();
  socket.resume();
  for (;;) {
    const [piece] = (await once(socket, "data")) as [Buffer];
    const read = reader.take(piece);
    if (read !== undefined) return read.head;
  }
}
