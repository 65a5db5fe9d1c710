/** A text in PEM: in a file, which is read again when it changes, or as it is. */
export type PemSource = { readonly path: string } | { readonly pem: string };

/**
 * What a server asks of its clients' certificates, by the names that sing-box has for it:
 *
 * - `no`: it asks for none.
 * - `request`: it asks for one, and takes none and any.
 * - `require-any`: there has to be one, whoever has signed it. It proves nothing.
 * - `verify-if-given`: there need not be one, but one that is there has to be signed by an authority that the server knows.
 * - `require-and-verify`: there has to be one that is: mutual TLS.
 */
export type ClientAuthentication =
  "no" | "request" | "require-any" | "verify-if-given" | "require-and-verify";

/** All that a server can ask. */
export const clientAuthentications = [
  "no",
  "request",
  "require-any",
  "verify-if-given",
  "require-and-verify",
] as const satisfies readonly ClientAuthentication[];

/** The versions of TLS that may be the least that a server speaks. */
export const tlsVersions = ["1.2", "1.3"] as const;

/** With whose certificate a server speaks TLS, and with whom. */
export interface TlsServerOptions {
  /** The server's own certificate, and behind it those that lead to its authority. */
  readonly certificate: PemSource;
  /** Its private key, without a passphrase. */
  readonly key: PemSource;
  /** The oldest version of TLS that it speaks. Default: `1.2`. */
  readonly minVersion?: "1.2" | "1.3";
  /** What it asks of the certificates of clients. Default: `no`. */
  readonly clientAuthentication?: ClientAuthentication;
  /** The authorities that sign those, where they are verified; no others will do then. Default: none. */
  readonly clientCertificates?: readonly PemSource[];
}

/** Whether nobody gets in whose certificate is not signed by a known authority. */
export function isMutual({ clientAuthentication }: TlsServerOptions): boolean {
  return clientAuthentication === "require-and-verify";
}
