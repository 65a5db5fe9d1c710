import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { silentLogger, type Logger } from "../log/logger.js";
import { watchFiles, type FileWatch, type FileWatchOptions } from "./file-watch.js";
import { filesOf, readServerCredentials, type ServerCredentials } from "./server-credentials.js";
import { toError } from "./system-error.js";
import { TlsHandshakes } from "./tls-handshakes.js";
import type { TlsServerOptions } from "./tls-server-options.js";

/** What the constructor of {@link TlsServer} takes beside what the handshakes are about. */
export interface TlsServerSurroundings extends FileWatchOptions {
  /** What clients may speak on it, the first choice first. */
  readonly protocols: readonly string[];
  /** How long a handshake may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * Speaks TLS on connections that were accepted elsewhere, with a certificate that may change while it does.
 *
 * Its files are read again when they change, and at `refresh()`: handshakes from then on are with what is new,
 * connections that stand go on. What could not be used changes nothing, and is logged once.
 */
export class TlsServer {
  readonly #options: TlsServerOptions;
  readonly #surroundings: TlsServerSurroundings;
  readonly #logger: Logger;
  readonly #handshakes: TlsHandshakes;
  #credentials: ServerCredentials | undefined;
  #server: Server | undefined;
  #watch: FileWatch | undefined;
  #complaint = "";
  #isStopped = false;
  /** The newest reading of the files, each after the one before it. */
  #reading: Promise<void> = Promise.resolve();

  constructor(options: TlsServerOptions, surroundings: TlsServerSurroundings) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#logger = surroundings.logger ?? silentLogger;
    this.#handshakes = new TlsHandshakes(options.clientAuthentication, surroundings.handshakeTimeoutMs);
  }

  /**
   * Reads the files and begins to watch them.
   *
   * @throws Error that names the file that is missing, malformed or belongs to another one.
   */
  async start(): Promise<void> {
    try {
      this.#credentials = await readServerCredentials(this.#options);
    } catch (error) {
      throw new Error(`tls: ${toError(error).message}`, { cause: error });
    }
    this.#server = createServer({ ...this.#contextOf(this.#credentials), ...this.#settings() });
    this.#handshakes.watch(this.#server);
    if (this.#isStopped) return;
    this.#watch = watchFiles(filesOf(this.#options), () => void this.refresh(), this.#surroundings);
  }

  /**
   * Speaks TLS on a connection from now on.
   *
   * @returns a stream with an `error` listener.
   * @throws Error with the reason if that does not come about in time. The connection is closed then.
   */
  async secure(socket: Socket): Promise<TLSSocket> {
    if (this.#server === undefined) throw new Error("TLS is not started");
    return this.#handshakes.begin(this.#server, socket);
  }

  /** Reads the files again. It never rejects. */
  async refresh(): Promise<void> {
    this.#reading = this.#reading.then(async () => this.#readAgain());
    return this.#reading;
  }

  /** Stops to watch the files. Safe to call twice. */
  stop(): void {
    this.#isStopped = true;
    this.#watch?.stop();
    this.#watch = undefined;
  }

  async #readAgain(): Promise<void> {
    const files = filesOf(this.#options).join(", ");
    try {
      const credentials = await readServerCredentials(this.#options);
      this.#complaint = "";
      if (JSON.stringify(credentials) === JSON.stringify(this.#credentials)) return;
      this.#server?.setSecureContext(this.#contextOf(credentials));
      this.#credentials = credentials;
      this.#logger.info("the certificate has changed: connections from now on are with the new one", {
        files,
      });
    } catch (error) {
      const { message } = toError(error);
      if (message === this.#complaint) return;
      this.#complaint = message;
      this.#logger.warn("the new certificate cannot be used, the old one goes on", { error: message });
    }
  }

  #contextOf({ cert, key, ca }: ServerCredentials): TlsOptions {
    const { minVersion = "1.2" } = this.#options;
    return {
      ...{ cert, key, minVersion: `TLSv${minVersion}` },
      ...(ca.length > 0 && { ca: [...ca] }),
      // A client could have it do a handshake after the other.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    };
  }

  #settings(): TlsOptions {
    const { clientAuthentication = "no" } = this.#options;
    return {
      ALPNProtocols: [...this.#surroundings.protocols],
      requestCert: clientAuthentication !== "no",
      // What is less than that is for the handshakes to judge.
      rejectUnauthorized: clientAuthentication === "require-and-verify",
    };
  }
}
