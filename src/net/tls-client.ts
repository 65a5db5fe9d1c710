import { X509Certificate } from "node:crypto";
import { isIP, type Socket } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { DialError } from "./dial-error.js";
import { resetConnection } from "./reset.js";
import { toError } from "./system-error.js";

export interface TlsClientOptions {
  /** Whom the server's certificate has to be for: a name, which the server is told, too, or an IP address. */
  readonly serverName: string;
  /** Whether any certificate will do. Default: false. */
  readonly insecure?: boolean;
  /** Certificates in PEM, of authorities to trust. Default: those that Node knows. */
  readonly ca?: string | undefined;
}

/**
 * Speaks TLS on a connection from now on. As on the connection itself, one end may finish before the other, and
 * `resetConnection()` resets.
 *
 * @returns a stream with an `error` listener.
 * @throws DialError `failed` with the bare reason.
 */
export async function startTls(
  socket: Socket,
  { serverName, insecure = false, ca }: TlsClientOptions,
): Promise<TLSSocket> {
  const secured = connect({
    socket,
    // An IP address has no place in SNI (RFC 6066 §3).
    ...(isIP(serverName) === 0 ? { servername: serverName } : { checkServerIdentity: checkIP(serverName) }),
    rejectUnauthorized: !insecure,
    ...(ca !== undefined && { ca }),
  });
  // TLS itself has no resets.
  secured.resetAndDestroy = () => {
    resetConnection(socket);
    return secured;
  };
  return new Promise((resolve, reject) => {
    secured.once("secureConnect", () => {
      resolve(secured);
    });
    // Errors after the handshake are the user's to act on; here they only must not go unheard.
    secured.on("error", (cause) => {
      reject(new DialError("failed", reasonOf(secured, cause), { cause }));
    });
    secured.once("close", () => {
      reject(new DialError("failed", "connection closed in the TLS handshake"));
    });
  });
}

/** In place of Node's own check, which in some releases finds no IPv6 address in a certificate. */
function checkIP(address: string): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_host, { raw }) => {
    if (new X509Certificate(raw).checkIP(address) !== undefined) return undefined;
    return new Error(`it is not for the IP address ${address}`);
  };
}

/**
 * One line, whatever the error says.
 *
 * @param secured - Despite its type, the error is none as long as nothing is wrong with the certificate.
 */
function reasonOf({ authorizationError }: { readonly authorizationError?: unknown }, cause: unknown): string {
  const error = toError(cause);
  if (authorizationError === null || authorizationError === undefined)
    return `TLS handshake failed: ${openSslReasonOf(error) ?? firstLineOf(error)}`;
  return `its certificate is not trusted: ${firstLineOf(error)}`;
}

/** What OpenSSL calls it, without the place in its source and the rest of what its message has. */
function openSslReasonOf(error: Error): string | undefined {
  return "reason" in error && typeof error.reason === "string" ? error.reason : undefined;
}

function firstLineOf({ message }: Error): string {
  return message.replace(/[\r\n][^]*/, "");
}
