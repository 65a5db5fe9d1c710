import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../log/logger.js";
import { readParsed, type ParseResult } from "../net/byte-reader.js";
import type { Endpoint } from "../net/endpoint.js";
import { formatEndpoint } from "../net/endpoint.js";
import { endWith } from "../net/linger.js";
import { remoteEndpointOf } from "../net/socket-endpoint.js";
import { TcpListener } from "../net/tcp-listener.js";
import { HttpHandshake } from "./http-handshake.js";
import type { Inbound, ProxyRequest, RequestHandler } from "./inbound.js";
import { socks5Version } from "./socks5.js";
import { acceptSocks5 } from "./socks5-handshake.js";
import { Users, type User } from "./users.js";

export interface MixedInboundOptions {
  readonly tag: string;
  readonly listen: Endpoint;
  /** Who may use it. Default: anyone. */
  readonly users?: readonly User[];
  /** How long a client may take for each message of its handshake, in milliseconds. Default: 15,000. */
  readonly handshakeTimeoutMs?: number;
  readonly onRequest: RequestHandler;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** First byte of a SOCKS4 request. */
const socks4Version = 4;
/** "Request rejected", in SOCKS4's words. It carries no password, and we do not speak it. */
const socks4Rejection = Buffer.of(0, 0x5b, 0, 0, 0, 0, 0, 0);

/** One port for SOCKS5 and HTTP CONNECT: the first byte tells which. */
export class MixedInbound implements Inbound {
  readonly tag: string;
  readonly type = "mixed";
  readonly #listen: Endpoint;
  readonly #users: Users;
  readonly #handshakeTimeoutMs: number;
  readonly #onRequest: RequestHandler;
  readonly #logger: Logger;
  readonly #listener: TcpListener;
  readonly #http: HttpHandshake;
  /** Clients that have not said yet what they want; they need not be waited for. */
  readonly #undecided = new Set<Socket>();

  constructor({
    tag,
    listen,
    users,
    handshakeTimeoutMs = 15_000,
    onRequest,
    logger = silentLogger,
  }: MixedInboundOptions) {
    this.tag = tag;
    this.#listen = listen;
    this.#users = new Users(users);
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#onRequest = onRequest;
    this.#logger = logger;
    this.#http = new HttpHandshake({
      inbound: tag,
      users: this.#users,
      timeoutMs: handshakeTimeoutMs,
      onRequest: (request) => void this.#handOver(request),
      onRefusal: (client, reason) => {
        this.#logRefusal(client, reason);
      },
    });
    this.#listener = new TcpListener({
      onConnection: (client) => void this.#serve(client),
      logger,
    });
  }

  async start(): Promise<Endpoint> {
    return this.#listener.listen(this.#listen);
  }

  async stop(cut: AbortSignal): Promise<void> {
    const stopped = this.#listener.stop(cut);
    this.#http.close();
    for (const client of this.#undecided) client.destroy();
    await stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  /** Never rejects. */
  async #serve(client: Socket): Promise<void> {
    const timeoutMs = this.#handshakeTimeoutMs;
    this.#undecided.add(client);
    client.once("close", () => this.#undecided.delete(client));
    try {
      const firstByte = await readParsed(client, peekByte, { timeoutMs });
      if (firstByte === socks5Version) {
        const options = { inbound: this.tag, users: this.#users, timeoutMs };
        await this.#handOver(await acceptSocks5(client, options));
      } else if (firstByte === socks4Version) {
        endWith(client, socks4Rejection);
        this.#logRefusal(client, "SOCKS4 is not supported");
      } else {
        this.#http.serve(client);
      }
    } catch (error) {
      this.#logRefusal(client, error instanceof Error ? error.message : String(error));
      // A refusal has closed it already, gently.
      if (client.writable) client.destroy();
    }
  }

  async #handOver(request: ProxyRequest): Promise<void> {
    this.#undecided.delete(request.client);
    await this.#onRequest(request);
  }

  #logRefusal(client: Socket, reason: string): void {
    const source = formatEndpoint(remoteEndpointOf(client));
    this.#logger.debug("connection refused", { inbound: this.tag, source, reason });
  }
}

function peekByte(bytes: Buffer): ParseResult<number> {
  const [first] = bytes;
  return first === undefined ? { kind: "more" } : { kind: "done", value: first, length: 0 };
}
