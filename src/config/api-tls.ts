import { z } from "zod";
import {
  clientAuthentications,
  tlsVersions,
  type PemSource,
  type TlsServerOptions,
} from "../net/tls-server-options.js";
import { flagField, textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { oneOf, section } from "./section.js";

/** Short for what mutual TLS is meant by. */
const mutualAlias = "require";
const authentications = [...clientAuthentications, mutualAlias] as const;
const verifying: readonly unknown[] = ["verify-if-given", "require-and-verify"];

function pathField(about: string) {
  return textField(about, "the path of a file in PEM", (path) => path !== "");
}

/** sing-box has a list of lines here. */
function pemField(about: string) {
  return listOrOne(textField(about, "text in PEM"))
    .transform((lines) => lines.join("\n"))
    .optional()
    .describe(about);
}

/** How the API speaks TLS on its ports. It may be missing as a whole. */
export const apiTlsSchema = section({
  enabled: flagField(
    "Whether TLS is spoken on the ports of the API: HTTP/2 and HTTP/1.1, as ALPN says, and nothing in cleartext. Unix sockets are without it.",
  ).default(false),
  certificate_path: pathField(
    "The server's certificate, and behind it those that lead to its authority. All files here are read again when they change: connections from then on get what is new, others stay, and a file with which it would not work changes nothing.",
  ).optional(),
  certificate: pemField("The server's certificate itself, in place of a file: its text, or the lines of it."),
  key_path: pathField("The private key of the certificate, without a passphrase.").optional(),
  key: pemField("The private key itself, in place of a file: its text, or the lines of it."),
  min_version: z
    .enum(tlsVersions, { error: oneOf(tlsVersions) })
    .default("1.2")
    .describe("The oldest version of TLS that is spoken."),
  client_authentication: z
    .enum(authentications, { error: oneOf(authentications) })
    .transform((name) => (name === mutualAlias ? "require-and-verify" : name))
    .default("no")
    .describe(
      "What is asked of the certificates of clients: `no`, nothing; `request`, any or none; `require-any`, any; `verify-if-given`, none or one that is signed by an authority of `client_certificate_path`; `require-and-verify`, or `require`, such a one. Only the last one keeps anybody out, and counts as a secret.",
    ),
  client_certificate_path: listOrOne(pathField("A file of certificates."))
    .default([])
    .describe(
      "Files of certificates of the authorities that sign those of clients, where `client_authentication` verifies these. No others will do.",
    ),
  client_certificate: pemField("Such certificates themselves: their text, or the lines of it."),
})
  .refine(({ enabled, ...tls }) => !enabled || isOne(tls.certificate_path, tls.certificate), {
    error: 'a "certificate_path", or a "certificate" in its place',
  })
  .refine(({ enabled, ...tls }) => !enabled || isOne(tls.key_path, tls.key), {
    error: 'a "key_path", or a "key" in its place',
  })
  .refine((tls) => !tls.enabled || !verifying.includes(tls.client_authentication) || hasAuthorities(tls), {
    error: 'a "client_certificate_path" where certificates of clients are verified',
  })
  .refine((tls) => !tls.enabled || verifying.includes(tls.client_authentication) || !hasAuthorities(tls), {
    error: 'a "client_authentication" that verifies, where there is a "client_certificate_path"',
  })
  .prefault({})
  .describe("TLS with those who call the API.");

/** The section `experimental.v2ray_api.tls`. */
export type ApiTlsConfig = z.output<typeof apiTlsSchema>;

/** What the section means to a server; `undefined` where there is no TLS. */
export function tlsOptionsOf(tls: ApiTlsConfig): TlsServerOptions | undefined {
  const certificate = sourceOf(tls.certificate_path, tls.certificate);
  const key = sourceOf(tls.key_path, tls.key);
  if (!tls.enabled || certificate === undefined || key === undefined) return undefined;
  const pem = sourceOf(undefined, tls.client_certificate);
  return {
    ...{ certificate, key, minVersion: tls.min_version, clientAuthentication: tls.client_authentication },
    clientCertificates: [
      ...tls.client_certificate_path.map((path): PemSource => ({ path })),
      ...(pem === undefined ? [] : [pem]),
    ],
  };
}

/** Whether a section, as it was written, asks every client for a certificate and verifies it. */
export function asksForCertificates(enabled: unknown, clientAuthentication: unknown): boolean {
  return (
    enabled === true && ["require-and-verify", mutualAlias].some((name) => name === clientAuthentication)
  );
}

function sourceOf(path: string | undefined, pem: string | undefined): PemSource | undefined {
  if (path !== undefined) return { path };
  return pem === undefined ? undefined : { pem };
}

function isOne(path: string | undefined, text: string | undefined): boolean {
  return (path === undefined) !== (text === undefined);
}

function hasAuthorities(tls: {
  readonly client_certificate_path: readonly string[];
  readonly client_certificate?: string | undefined;
}): boolean {
  return tls.client_certificate_path.length > 0 || tls.client_certificate !== undefined;
}
