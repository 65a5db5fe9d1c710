import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { toError } from "./system-error.js";

/**
 * Reads a file of certificates in PEM, and makes sure that they are some: TLS would silently trust nobody.
 *
 * @throws Error that names the file and what is wrong with it.
 */
export async function readCertificates(path: string): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    assertCertificates(text);
    return text;
  } catch (cause) {
    throw new Error(`cannot read certificates from ${JSON.stringify(path)}: ${toError(cause).message}`, {
      cause,
    });
  }
}

/** @throws Error if there is none in the text, or one that is malformed. */
export function assertCertificates(text: string): void {
  const certificates = text.match(pemCertificate) ?? [];
  if (certificates.length === 0) throw new Error("it has no certificate in PEM");
  for (const certificate of certificates) new X509Certificate(certificate);
}

const pemCertificate = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g;
