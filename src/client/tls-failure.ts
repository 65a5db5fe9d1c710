import { errorCodeOf, toError } from "../net/system-error.js";

/** Of a server that speaks TLS and agreed on no protocol over it, or on another one. */
export const noHttp2 = "it speaks TLS, and no HTTP/2 over it";

/** What Node and OpenSSL find wrong with the certificate of a server. */
const distrusted: Readonly<Partial<Record<string, string>>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed",
  SELF_SIGNED_CERT_IN_CHAIN: "it is of an authority that is not trusted",
  UNABLE_TO_GET_ISSUER_CERT: "it is of an authority that is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "it is of an authority that is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "it is of an authority that is not trusted",
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  CERT_REVOKED: "it is revoked",
};

/** What a server says with a TLS alert (RFC 8446 section 6.2), by its number. */
const alerts: Readonly<Partial<Record<string, string>>> = {
  // handshake_failure: before TLS 1.3 there was no alert of its own for a certificate that is missing.
  40: "TLS handshake failed: it may want a client certificate",
  42: "it does not trust the client certificate",
  45: "the client certificate has expired",
  46: "it does not trust the client certificate",
  48: "it does not trust the client certificate",
  51: "it does not trust the client certificate",
  70: "it speaks no TLS of version 1.2 or later",
  116: "it wants a client certificate",
  120: noHttp2,
};

/** What comes instead of a handshake. */
const handshakes: Readonly<Partial<Record<string, string>>> = {
  ERR_SSL_WRONG_VERSION_NUMBER: "it does not speak TLS",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "it does not speak TLS",
  ECONNRESET: "it closed the connection in the TLS handshake, as one does that does not speak TLS",
};

/** Says in one line why TLS with a server failed; `undefined` if that is not what failed. */
export function tlsFailureOf(cause: unknown): string | undefined {
  const code = errorCodeOf(cause) ?? "";
  const why = distrusted[code] ?? (code === "ERR_TLS_CERT_ALTNAME_INVALID" ? wrongName(cause) : undefined);
  if (why !== undefined) return `its certificate is not trusted: ${why}`;
  // The codes of alerts have other names from one version of OpenSSL to the next.
  const [, alert = ""] = /SSL alert number (\d+)/.exec(toError(cause).message) ?? [];
  const known = alerts[alert] ?? handshakes[code];
  if (known !== undefined || !/^ERR_(SSL|OSSL|TLS)_/.test(code)) return known;
  return `TLS handshake failed: ${reasonOf(toError(cause))}`;
}

/** Whose it is may be long, and does not help who asked for another one. */
function wrongName(cause: unknown): string {
  const host = cause instanceof Error && "host" in cause ? String(cause.host) : "that name";
  return `it is not for ${host}`;
}

/** What OpenSSL calls it, without the place in its source. */
function reasonOf(error: Error): string {
  const text = "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
  return text.replace(/[\r\n][^]*/, "");
}
