import {
  connect,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  type OutgoingHttpHeaders,
} from "node:http2";
import type { NodeHttpClientOptions } from "@connectrpc/connect-node";
import { formatEndpoint, type Endpoint } from "../net/endpoint.js";

/** What Connect's transports ask for a connection. */
type SessionManager = ReturnType<
  NonNullable<Extract<NodeHttpClientOptions, { httpVersion: "2" }>["sessionProvider"]>
>;

/**
 * One HTTP/2 connection in cleartext, with prior knowledge, that is opened when it is first needed and again when it was
 * lost. Connect's own manager leaves an error of a connection that has just failed to nobody, which ends the process.
 */
export class Http2Session implements SessionManager {
  readonly authority: string;
  #session: ClientHttp2Session | undefined;

  constructor(server: Endpoint) {
    this.authority = `http://${formatEndpoint(server)}`;
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Omit<ClientSessionRequestOptions, "signal">,
  ): Promise<ClientHttp2Stream> {
    const session = await this.#open();
    return session.request({ ...headers, ":method": method, ":path": path }, options);
  }

  notifyResponseByteRead(): void {
    // It is for managers that probe whether a connection is alive.
  }

  /** Cuts what is open. Further requests open it again. */
  [Symbol.dispose](): void {
    this.#session?.destroy();
  }

  async #open(): Promise<ClientHttp2Session> {
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = connect(this.authority);
    this.#session = session;
    return new Promise((resolve, reject) => {
      session.once("connect", () => {
        resolve(session);
      });
      // What becomes of a later error is told to the streams that it ends.
      session.on("error", reject);
      session.once("close", () => {
        reject(new Error("the connection was closed"));
      });
    });
  }
}
