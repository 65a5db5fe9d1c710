import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { checkServerIdentity, connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { ClientError } from "./client-error.js";
import type { ServerAddress } from "./server-address.js";

/** How a client speaks TLS. */
export interface ClientTls {
  /** Certificates in PEM, of authorities to trust in place of the usual ones. Default: those that Node knows. */
  readonly ca?: string | undefined;
  /** Our own certificate and its key, in PEM, for a server that wants one. Default: none is shown. */
  readonly identity?: { readonly cert: string; readonly key: string } | undefined;
  /** Whom the server's certificate has to be for. Default: the server's host, and `localhost` for a Unix socket. */
  readonly serverName?: string | undefined;
}

/** What HTTP/2 is called in a TLS handshake. */
export const http2Protocol = "h2";

/** Begins to speak TLS with a server. What comes of it is for whoever has the socket. */
export function startClientTls(server: ServerAddress, { ca, identity, serverName }: ClientTls): TLSSocket {
  const name = serverName ?? ("path" in server ? "localhost" : server.host);
  return connect({
    ...server,
    // An IP address has no place in SNI (RFC 6066 §3).
    ...(isIP(name) === 0 && { servername: name }),
    checkServerIdentity: (_host, certificate) => checkIdentity(name, certificate),
    ALPNProtocols: [http2Protocol],
    minVersion: "TLSv1.2",
    ...(ca !== undefined && { ca }),
    ...identity,
  });
}

/**
 * Makes sure that a key is that of a certificate.
 *
 * @throws ClientError `credentials`
 */
export function assertIdentity({ cert, key }: { readonly cert: string; readonly key: string }): void {
  if (!certificateOf(cert).checkPrivateKey(keyOf(key))) {
    throw new ClientError("credentials", "the key does not match the certificate");
  }
}

function certificateOf(cert: string): X509Certificate {
  try {
    return new X509Certificate(cert);
  } catch (cause) {
    throw new ClientError("credentials", "the certificate is none in PEM", { cause });
  }
}

function keyOf(key: string) {
  try {
    return createPrivateKey(key);
  } catch (cause) {
    const isEncrypted = /^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(key);
    const reason = isEncrypted ? "is encrypted: only one without a passphrase can be read" : "is none in PEM";
    throw new ClientError("credentials", `the key ${reason}`, { cause });
  }
}

/** Node's own check finds no IPv6 address in a certificate in some releases. */
function checkIdentity(name: string, certificate: PeerCertificate): Error | undefined {
  if (isIP(name) === 0) return checkServerIdentity(name, certificate);
  if (new X509Certificate(certificate.raw).checkIP(name) !== undefined) return undefined;
  return Object.assign(new Error(`it is not for ${name}`), {
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
    host: name,
  });
}
