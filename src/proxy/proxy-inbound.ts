import type { Socket } from "node:net";
import { silentLogger, type Logger } from "../log/logger.js";
import { readParsed, type ParseResult } from "../net/byte-reader.js";
import type { Admit } from "../net/connection-limits.js";
import type { Endpoint } from "../net/endpoint.js";
import { formatEndpoint } from "../net/endpoint.js";
import { ListenError } from "../net/listen-error.js";
import { LoginBrake } from "../net/login-brake.js";
import { isLoopbackHost } from "../net/loopback.js";
import type { OwnListeners } from "../net/own-listeners.js";
import { remoteEndpointOf } from "../net/socket-endpoint.js";
import { TcpListener } from "../net/tcp-listener.js";
import { defaultClientTimes, type ClientTimes } from "./client-times.js";
import { HttpProxyServer } from "./http/http-proxy-server.js";
import type { Inbound, PacketHandler, ProxyRequest, RequestHandler } from "./inbound.js";
import { SocksAssociations } from "./socks/socks-associations.js";
import { socks4Version } from "./socks/socks4.js";
import { acceptSocks4 } from "./socks/socks4-handshake.js";
import { socks5Version } from "./socks/socks5.js";
import { acceptSocks5, type AssociateRequest } from "./socks/socks5-handshake.js";
import { SocksRefusal } from "./socks/socks-handshake.js";
import { Users, type User } from "./users.js";

/** What the types of inbound speak; a config names them so. */
const protocolsByType = {
  socks: { socks: true, http: false },
  http: { socks: false, http: true },
  mixed: { socks: true, http: true },
} as const;
export type ProxyInboundType = keyof typeof protocolsByType;

export interface ProxyInboundOptions {
  readonly tag: string;
  readonly type: ProxyInboundType;
  readonly listen: Endpoint;
  /** Who may use it. Default: anyone, and so it has to listen on loopback. */
  readonly users?: readonly User[];
  /** Whether it may listen beyond loopback without users: then whoever reaches it can use the proxy. Default: false. */
  readonly insecure?: boolean;
  /** Slows the answers to those who log in wrongly. Default: one of its own. */
  readonly logins?: LoginBrake;
  /** How long clients may take. Default: {@link defaultClientTimes}. */
  readonly times?: ClientTimes;
  readonly onRequest: RequestHandler;
  /** Default: nobody may send packets; SOCKS5 clients that want to are answered 07. */
  readonly onPackets?: PacketHandler;
  /** How many SOCKS5 clients may send packets at the same time; further ones are answered 01. Default: 4,096. */
  readonly maxAssociations?: number;
  /** How long such a client may go without a packet either way, in milliseconds. Default: 300,000. */
  readonly udpTimeoutMs?: number;
  /** Is told of the ports where such clients are served. Default: nobody is. */
  readonly ownListeners?: OwnListeners;
  /** Which connections to take. Default: all. */
  readonly admit?: Admit;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** A port for the clients of proxies: SOCKS4, SOCKS4a and SOCKS5, HTTP, or both, which the first byte tells apart. */
export class ProxyInbound implements Inbound {
  readonly tag: string;
  readonly type: ProxyInboundType;
  readonly #listen: Endpoint;
  readonly #insecure: boolean;
  #users: Users;
  readonly #logins: LoginBrake;
  readonly #times: ClientTimes;
  readonly #onRequest: RequestHandler;
  readonly #logger: Logger;
  readonly #listener: TcpListener;
  readonly #http: HttpProxyServer;
  /** SOCKS clients that have not said yet what they want; they need not be waited for. */
  readonly #undecided = new Set<Socket>();
  readonly #associations: SocksAssociations | undefined;

  constructor({
    tag,
    type,
    listen,
    users,
    insecure = false,
    times = defaultClientTimes,
    onRequest,
    onPackets,
    maxAssociations,
    udpTimeoutMs,
    ownListeners,
    admit,
    logger = silentLogger,
    logins = new LoginBrake({ logger }),
  }: ProxyInboundOptions) {
    this.tag = tag;
    this.type = type;
    this.#listen = listen;
    this.#insecure = insecure;
    this.#users = new Users(users);
    this.#logins = logins;
    this.#times = times;
    this.#onRequest = onRequest;
    this.#logger = logger;
    this.#http = new HttpProxyServer({
      inbound: tag,
      users: this.#users,
      logins,
      times,
      onRequest: (request) => void onRequest(request),
      onRefusal: (client, reason) => {
        this.#logRefusal(client, reason);
      },
    });
    if (onPackets !== undefined) {
      this.#associations = new SocksAssociations({
        ...{ inbound: tag, onPackets, times, ownListeners, logger },
        ...(maxAssociations !== undefined && { maxCount: maxAssociations }),
        ...(udpTimeoutMs !== undefined && { idleTimeoutMs: udpTimeoutMs }),
      });
    }
    this.#listener = new TcpListener({
      onConnection: (client) => void this.#serve(client),
      admit,
      logger,
    });
  }

  /** @throws ListenError if it cannot listen there, or must not: beyond loopback without users. */
  async start(): Promise<Endpoint> {
    if (this.#isOpen && !this.#insecure) {
      const reason = "give it users, let it listen on loopback, or say insecure: true";
      throw new ListenError(this.#listen, new Error(`other machines can reach it: ${reason}`));
    }
    this.#warnIfOpen();
    return this.#listener.listen(this.#listen);
  }

  replaceUsers(users: readonly User[]): void {
    this.#users = new Users(users);
    this.#http.replaceUsers(this.#users);
    this.#warnIfOpen();
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

  /** Whether people use it whom nobody knows. */
  get #isOpen(): boolean {
    return !this.#users.areRequired && !isLoopbackHost(this.#listen.host);
  }

  #warnIfOpen(): void {
    if (!this.#isOpen) return;
    this.#logger.warn("whoever reaches the inbound can use the proxy: it has no users", {
      ...{ inbound: this.tag, listen: formatEndpoint(this.#listen) },
    });
  }

  /** Never rejects. */
  async #serve(client: Socket): Promise<void> {
    const users = this.#users;
    try {
      const request = await this.#acceptUndecided(client, users);
      // Others may have taken their place meanwhile.
      if (request !== undefined && users !== this.#users && !this.#users.stillAdmit(request.user, users)) {
        throw new SocksRefusal("its login does not hold any more");
      }
      if (request === undefined) this.#http.serve(client);
      // Neither rejects. To wait for their end would keep all of this until then.
      else if ("control" in request) void this.#associations?.serve(request);
      else void this.#onRequest(request);
    } catch (error) {
      this.#logRefusal(client, error instanceof Error ? error.message : String(error));
      // A refusal has closed it already, gently.
      if (client.writable) client.destroy();
    }
  }

  async #acceptUndecided(client: Socket, users: Users): Promise<ProxyRequest | AssociateRequest | undefined> {
    this.#undecided.add(client);
    try {
      return await this.#accept(client, users);
    } finally {
      this.#undecided.delete(client);
    }
  }

  /** Reads what a SOCKS client wants; `undefined` if the client speaks HTTP. */
  async #accept(client: Socket, users: Users): Promise<ProxyRequest | AssociateRequest | undefined> {
    const protocols = protocolsByType[this.type];
    const options = {
      inbound: this.tag,
      users,
      logins: this.#logins,
      timeoutMs: this.#times.handshakeMs,
      lingerMs: this.#times.lingerMs,
      withPackets: this.#associations !== undefined,
    };
    const firstByte = await readParsed(client, peekByte, options);
    if (protocols.socks && firstByte === socks5Version) return acceptSocks5(client, options);
    if (protocols.socks && firstByte === socks4Version) return acceptSocks4(client, options);
    if (protocols.http) return undefined;
    throw new SocksRefusal(`SOCKS version ${firstByte}, expected 4 or 5`);
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
