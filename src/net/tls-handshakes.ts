import type { Socket } from "node:net";
import type { Server, TLSSocket } from "node:tls";
import { toError } from "./system-error.js";
import type { ClientAuthentication } from "./tls-server-options.js";

interface Handshake {
  succeed(secured: TLSSocket): void;
  fail(error: Error): void;
}

/** The handshakes that a TLS server is about, by the connections on which they take place. */
export class TlsHandshakes {
  readonly #clientAuthentication: ClientAuthentication;
  readonly #timeoutMs: number;
  /** Node tells of the secured connection alone: what it has in common with the one below are its two ends. */
  readonly #byEnds = new Map<string, Handshake>();

  constructor(clientAuthentication: ClientAuthentication = "no", timeoutMs: number) {
    this.#clientAuthentication = clientAuthentication;
    this.#timeoutMs = timeoutMs;
  }

  /** Hears from a server, which need not listen, how its handshakes end. */
  watch(server: Server): void {
    server.on("secureConnection", (secured) => {
      const handshake = this.#byEnds.get(endsOf(secured));
      // One that nobody waits for has lost its connection meanwhile.
      if (handshake === undefined) secured.on("error", ignore).destroy();
      else handshake.succeed(secured);
    });
    server.on("tlsClientError", (error, secured) => {
      this.#byEnds.get(endsOf(secured))?.fail(error);
      secured.destroy();
    });
  }

  /** @throws Error with the reason if it fails; the connection is closed then. */
  async begin(server: Server, socket: Socket): Promise<TLSSocket> {
    if (socket.destroyed) throw new Error("TLS handshake failed: connection closed");
    const ends = endsOf(socket);
    const { allowHalfOpen } = socket;
    // Who ends its side in the middle of a handshake is gone.
    socket.allowHalfOpen = false;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        socket.off("close", onClose);
        if (this.#byEnds.get(ends) === handshake) this.#byEnds.delete(ends);
      };
      const handshake: Handshake = {
        succeed: (secured) => {
          settle();
          secured.on("error", ignore);
          secured.allowHalfOpen = allowHalfOpen;
          const objection = this.#objectionTo(secured);
          if (objection === undefined) {
            resolve(secured);
            return;
          }
          secured.destroy();
          reject(new Error(objection));
        },
        fail: (error) => {
          settle();
          socket.destroy();
          reject(new Error(`TLS handshake failed: ${reasonOf(error)}`, { cause: error }));
        },
      };
      const onClose = (): void => {
        handshake.fail(new Error("connection closed"));
      };
      const timer = setTimeout(() => {
        handshake.fail(new Error(`not complete within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
      socket.on("close", onClose);
      this.#byEnds.set(ends, handshake);
      server.emit("connection", socket);
    });
  }

  /** Why somebody is not let in whose handshake has succeeded. Who has to have a verified certificate has one by now. */
  #objectionTo(secured: TLSSocket): string | undefined {
    const isAsked =
      this.#clientAuthentication === "require-any" || this.#clientAuthentication === "verify-if-given";
    if (!isAsked) return undefined;
    const hasCertificate = secured.getPeerX509Certificate() !== undefined;
    if (this.#clientAuthentication === "require-any") {
      return hasCertificate ? undefined : "the client has no certificate";
    }
    if (!hasCertificate || secured.authorized) return undefined;
    return `the certificate of the client is not trusted: ${String(secured.authorizationError)}`;
  }
}

/** Two connections that are open have other ends, one or the other. */
function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return [remoteAddress, remotePort, localAddress, localPort].join(" ");
}

/** What OpenSSL calls it, without the place in its source. */
function reasonOf(cause: Error): string {
  const error = toError(cause);
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
}

function ignore(): void {
  // The close that follows is what counts.
}
