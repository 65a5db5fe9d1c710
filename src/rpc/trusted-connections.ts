import type { ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { connectionOf, type Connection } from "./node-http.js";

/**
 * Knows whose connections belong here: those by which a right secret has come, or which began with a verified certificate.
 * Many callers may share one, behind a reverse proxy, so it stays trusted whatever comes by it later.
 */
export class TrustedConnections {
  readonly #trusted = new WeakSet<Connection>();
  /** What each is spoken on. */
  readonly #below = new WeakMap<Connection, Connection>();
  readonly #listeners = new WeakMap<Connection, () => void>();

  /** One is spoken on another, TLS or a session of HTTP/2: who trusts it will trust what is below. */
  stack(above: Connection, below: Connection): void {
    this.#below.set(above, below);
  }

  /** To be told of what carries each request with a right secret. */
  trust(carrier: Socket | ServerHttp2Stream): void {
    let connection: Connection | undefined = connectionOf(carrier);
    while (connection !== undefined && !this.#trusted.has(connection)) {
      this.#trusted.add(connection);
      this.#listeners.get(connection)?.();
      this.#listeners.delete(connection);
      connection = this.#below.get(connection);
    }
  }

  /** Whether it is trusted itself, and not only what it is spoken on. */
  has(connection: Connection): boolean {
    return this.#trusted.has(connection);
  }

  /** Calls back once, when a connection that is not trusted yet comes to be. */
  whenTrusted(connection: Connection, listener: () => void): void {
    this.#listeners.set(connection, listener);
  }
}
