import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { assertCertificates, readCertificates } from "./certificates.js";
import { toError } from "./system-error.js";
import type { PemSource, TlsServerOptions } from "./tls-server-options.js";

/** What a server needs to speak TLS, in PEM, and known to be good for that. */
export interface ServerCredentials {
  readonly cert: string;
  readonly key: string;
  /** Certificates of the authorities of clients; empty where there are none. */
  readonly ca: readonly string[];
}

/**
 * Reads the credentials of a server, and makes sure that it can use them.
 *
 * @throws Error that names the file and what is wrong with it. What is in it is never told.
 */
export async function readServerCredentials({
  certificate,
  key,
  clientAuthentication = "no",
  clientCertificates = [],
}: TlsServerOptions): Promise<ServerCredentials> {
  const isVerifying =
    clientAuthentication === "verify-if-given" || clientAuthentication === "require-and-verify";
  // Node would take all the authorities that it knows: whoever has any certificate could call.
  if (isVerifying && clientCertificates.length === 0)
    throw new Error("there is no authority to verify clients by");
  const cert = await readCertificatesOf(certificate, "certificate");
  const keyText = await readKey(key);
  if (!isKeyOf(cert, keyText)) {
    throw new Error(`${nameOf(key, "key")} is not that of ${nameOf(certificate, "certificate")}`);
  }
  const ca: string[] = [];
  for (const source of clientCertificates) ca.push(await readCertificatesOf(source, "client certificate"));
  try {
    createSecureContext({ cert, key: keyText, ca });
  } catch (cause) {
    const where = nameOf(certificate, "certificate");
    throw new Error(`TLS cannot use the certificate in ${where}: ${reasonOf(cause)}`, { cause });
  }
  return { cert, key: keyText, ca };
}

/** The files that the credentials come from. */
export function filesOf({ certificate, key, clientCertificates = [] }: TlsServerOptions): readonly string[] {
  return [certificate, key, ...clientCertificates].flatMap((source) =>
    "path" in source ? [source.path] : [],
  );
}

async function readCertificatesOf(source: PemSource, what: string): Promise<string> {
  if ("path" in source) return readCertificates(source.path);
  try {
    assertCertificates(source.pem);
  } catch (cause) {
    throw new Error(`${nameOf(source, what)}: ${toError(cause).message}`, { cause });
  }
  return source.pem;
}

async function readKey(source: PemSource): Promise<string> {
  try {
    const text = "path" in source ? await readFile(source.path, "utf8") : source.pem;
    parseKey(text);
    return text;
  } catch (cause) {
    throw new Error(`cannot read a private key from ${nameOf(source, "key")}: ${reasonOf(cause)}`, { cause });
  }
}

function parseKey(text: string): KeyObject {
  if (!text.includes("PRIVATE KEY-----")) throw new Error("it has none in PEM");
  if (text.includes("ENCRYPTED")) throw new Error("it has a passphrase, which is not supported");
  return createPrivateKey(text);
}

function isKeyOf(cert: string, key: string): boolean {
  return new X509Certificate(cert).checkPrivateKey(parseKey(key));
}

function nameOf(source: PemSource, what: string): string {
  return "path" in source ? JSON.stringify(source.path) : `the ${what} that was given`;
}

/** What OpenSSL calls it, without the place in its source. */
function reasonOf(cause: unknown): string {
  const error = toError(cause);
  return "reason" in error && typeof error.reason === "string" ? error.reason : error.message;
}
