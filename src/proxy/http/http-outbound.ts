import { DialError } from "../../net/dial-error.js";
import { readCertificates } from "../../net/certificates.js";
import { dialThrough } from "../../net/dial-through.js";
import type { DialOptions } from "../../net/dial.js";
import { formatEndpoint, type Endpoint } from "../../net/endpoint.js";
import { localEndpointOf } from "../../net/socket-endpoint.js";
import { startTls } from "../../net/tls-client.js";
import type { HttpLogin } from "./http-login.js";
import { formatConnectTarget } from "./http-target.js";
import { openHttpTunnel } from "./http-tunnel.js";
import type { DialingOutbound, OutboundConnection, OutboundDialOptions } from "../outbound.js";

/** How an HTTP proxy is spoken to by TLS. */
export interface HttpOutboundTls {
  /** The name or IP address that its certificate has to be for. Default: the host by which it is dialled. */
  readonly serverName?: string | undefined;
  /** Whether any certificate will do. Default: false. */
  readonly insecure?: boolean;
  /** A file of certificates in PEM, of authorities to trust in place of those that Node knows. Default: none. */
  readonly certificatePath?: string | undefined;
}

export interface HttpOutboundOptions extends Omit<DialOptions, "signal"> {
  readonly tag: string;
  /** The HTTP proxy. Its name is resolved here, those of destinations are left to it. */
  readonly server: Endpoint;
  /** Default: none. */
  readonly login?: HttpLogin | undefined;
  /** Default: none, in the clear. */
  readonly tls?: HttpOutboundTls | undefined;
}

/** Leaves through an HTTP proxy, by CONNECT. It has no way for packets. */
export class HttpOutbound implements DialingOutbound {
  readonly tag: string;
  readonly blocks = false;
  readonly #server: Endpoint;
  readonly #login: HttpLogin | undefined;
  readonly #tls: HttpOutboundTls | undefined;
  readonly #dialOptions: DialOptions;
  #ca: string | undefined;

  constructor({ tag, server, login, tls, ...dialOptions }: HttpOutboundOptions) {
    this.tag = tag;
    this.#server = server;
    this.#login = login;
    this.#tls = tls;
    this.#dialOptions = dialOptions;
  }

  /** @throws Error if the file of certificates cannot be used. */
  async start(): Promise<void> {
    const { certificatePath } = this.#tls ?? {};
    if (certificatePath !== undefined) this.#ca = await readCertificates(certificatePath);
  }

  async dial(destination: Endpoint, { signal }: OutboundDialOptions = {}): Promise<OutboundConnection> {
    const server = this.#server;
    const what = `connect to ${formatEndpoint(destination)} through HTTP proxy ${formatEndpoint(server)}`;
    const target = formatConnectTarget(destination);
    if (target === undefined) throw new DialError("failed", `${what}: HTTP has no way to write that name`);
    return dialThrough(server, {
      ...this.#dialOptions,
      what,
      signal,
      handshake: async (socket) => {
        const { serverName = server.host, insecure = false } = this.#tls ?? {};
        const connection =
          this.#tls === undefined ? socket : await startTls(socket, { serverName, insecure, ca: this.#ca });
        await openHttpTunnel(connection, { target, login: this.#login });
        return { connection, boundTo: localEndpointOf(socket) };
      },
    });
  }
}
