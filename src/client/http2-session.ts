import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  type OutgoingHttpHeaders,
} from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { NodeHttpClientOptions } from "@connectrpc/connect-node";
import { formatEndpoint } from "../net/endpoint.js";
import { ClientError } from "./client-error.js";
import { http2Protocol, startClientTls, type ClientTls } from "./client-tls.js";
import type { ServerAddress } from "./server-address.js";
import { noHttp2 } from "./tls-failure.js";

const wantsCertificate = "it closed the connection after the TLS handshake: it may want a client certificate";
const refusesCertificate =
  "it closed the connection after the TLS handshake: it may not trust the client certificate";

/** What Connect's transports ask for a connection. */
type SessionManager = ReturnType<
  NonNullable<Extract<NodeHttpClientOptions, { httpVersion: "2" }>["sessionProvider"]>
>;

/**
 * One HTTP/2 connection, in cleartext with prior knowledge or over TLS, that is opened when it is first needed and again when
 * it was lost. Connect's own manager leaves an error of a connection that has just failed to nobody, which ends the process.
 */
export class Http2Session implements SessionManager {
  readonly authority: string;
  readonly #server: ServerAddress;
  readonly #tls: ClientTls | undefined;
  #open: { readonly session: ClientHttp2Session; readonly socket: Socket } | undefined;

  /** @param tls - How TLS is spoken. Default: it is not. */
  constructor(server: ServerAddress, tls?: ClientTls) {
    this.#server = server;
    this.#tls = tls;
    // As gRPC's own clients call the other end of a Unix socket.
    const host = "path" in server ? "localhost" : formatEndpoint(server);
    this.authority = `${tls === undefined ? "http" : "https"}://${host}`;
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Omit<ClientSessionRequestOptions, "signal">,
  ): Promise<ClientHttp2Stream> {
    const session = await this.#connect();
    return session.request({ ...headers, ":method": method, ":path": path }, options);
  }

  notifyResponseByteRead(): void {
    // It is for managers that probe whether a connection is alive.
  }

  /** Cuts what is open. Further requests open it again. */
  [Symbol.dispose](): void {
    this.#open?.session.destroy();
    // A session that TLS has failed under leaves it open.
    this.#open?.socket.destroy();
  }

  async #connect(): Promise<ClientHttp2Session> {
    const known = this.#open;
    if (known !== undefined && !known.session.closed && !known.session.destroyed && !known.socket.destroyed)
      return known.session;
    const socket = this.#dial();
    const session = connect(this.authority, { createConnection: () => socket });
    this.#open = { session, socket };
    return new Promise((resolve, reject) => {
      const onOpen = (): void => {
        resolve(session);
      };
      const fail = (error: Error): void => {
        reject(error);
        socket.destroy();
      };
      // What becomes of a later error is told to the streams that it ends.
      session.on("error", reject);
      if (!(socket instanceof TLSSocket)) {
        session.once("connect", onOpen);
        session.once("close", () => {
          reject(new Error("the connection was closed"));
        });
        return;
      }
      session.once("connect", () => {
        if (socket.alpnProtocol !== http2Protocol) fail(new ClientError("tls", noHttp2));
      });
      // Whether a server takes our certificate, or that we show none, it says after what is the end of the handshake to us.
      session.once("remoteSettings", onOpen);
      socket.on("error", fail);
      session.once("close", () => {
        fail(
          new ClientError("tls", this.#tls?.identity === undefined ? wantsCertificate : refusesCertificate),
        );
      });
    });
  }

  #dial(): Socket {
    return this.#tls === undefined
      ? connectSocket({ ...this.#server })
      : startClientTls(this.#server, this.#tls);
  }
}
