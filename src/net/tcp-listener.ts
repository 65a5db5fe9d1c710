import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { silentLogger, type Logger } from "../log/logger.js";
import { closed } from "./closed.js";
import type { Admit, Release } from "./connection-limits.js";
import type { Endpoint } from "./endpoint.js";
import { tcpKeepAlive } from "./keep-alive.js";
import type { UnixAddress } from "./listen-address.js";
import { ListenError } from "./listen-error.js";
import { resetConnection } from "./reset.js";
import { localEndpointOf, remoteEndpointOf } from "./socket-endpoint.js";
import { listenOnSocketFile, type SocketFile } from "./socket-file.js";
import { toError } from "./system-error.js";

export interface TcpListenerOptions {
  /** Called once for each accepted connection. It must not throw; the socket is closed by whoever uses it. */
  readonly onConnection: (socket: Socket) => void;
  /**
   * Asked about each accepted connection before anything is read of it. One that is not let in is reset: `onConnection` never
   * hears of it. Default: lets all in.
   */
  readonly admit?: Admit | undefined;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * Accepts TCP connections, or those of a Unix socket, knows the open ones, and lets go of them gracefully.
 *
 * Sockets are half-open capable (a client's FIN does not cut its answer off), send without delay, notice after five idle
 * minutes that their client has vanished, and have an `error` listener, so that a reset connection never ends the process.
 */
export class TcpListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #logger: Logger;
  #file: SocketFile | undefined;

  constructor({ onConnection, admit = admitAll, logger = silentLogger }: TcpListenerOptions) {
    this.#logger = logger;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, ...tcpKeepAlive }, (socket) => {
      const source = remoteEndpointOf(socket);
      const release = admit(source.host, { source, accepted: localEndpointOf(socket) }, socket);
      if (release === undefined) {
        socket.on("error", ignore);
        resetConnection(socket);
        return;
      }
      this.#adopt(socket, release);
      onConnection(socket);
    });
  }

  /** How many accepted connections are open. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /**
   * Starts to accept. An empty host means every address of the machine, port 0 any free one.
   *
   * @returns where it listens, with the port that was chosen.
   * @throws ListenError
   */
  async listen({ host, port }: Endpoint): Promise<Endpoint> {
    const server = this.#server;
    server.listen({ port, ...(host === "" ? {} : { host }) });
    try {
      await once(server, "listening");
    } catch (error) {
      throw new ListenError({ host, port }, toError(error));
    }
    this.#logFailures();
    const address = server.address();
    return { host, port: typeof address === "object" && address !== null ? address.port : port };
  }

  /**
   * Starts to accept on a Unix socket that nobody but this user can open, in place of a port. Its file is removed at the stop.
   *
   * @throws ListenError, also where there is a file that is no socket, or a socket that somebody listens on.
   */
  async listenOnFile(address: UnixAddress): Promise<UnixAddress> {
    try {
      this.#file = await listenOnSocketFile(this.#server, address.path);
    } catch (error) {
      throw new ListenError(address, toError(error));
    }
    this.#logFailures();
    return address;
  }

  /**
   * Stops to accept, waits for the open connections to end, and resets those still open when `cut` aborts: what is cut
   * must not look complete.
   */
  async stop(cut: AbortSignal): Promise<void> {
    if (this.#server.listening) this.#server.close();
    const removed = this.#removeFile();
    const resetAll = (): void => {
      for (const socket of this.#sockets) resetConnection(socket);
    };
    if (cut.aborted) resetAll();
    cut.addEventListener("abort", resetAll);
    try {
      await Promise.all([removed, ...Array.from(this.#sockets, closed)]);
    } finally {
      cut.removeEventListener("abort", resetAll);
    }
  }

  /** Stops at once. Safe to call twice. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(AbortSignal.abort());
  }

  async #removeFile(): Promise<void> {
    try {
      await this.#file?.remove();
    } catch (error) {
      this.#logger.warn("cannot remove the socket", { error: toError(error).message });
    }
  }

  #logFailures(): void {
    this.#server.on("error", (error) => {
      this.#logger.warn("cannot accept a connection", { error: error.message });
    });
  }

  /** One for all sockets. */
  readonly #onError = (error: Error): void => {
    this.#logger.debug("connection failed", { error: error.message });
  };

  #adopt(socket: Socket, release: Release): void {
    this.#sockets.add(socket);
    socket.on("error", this.#onError);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      release();
    });
  }
}

function admitAll(): Release {
  return ignore;
}

function ignore(): void {
  // Nobody counts them.
}
