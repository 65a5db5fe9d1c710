import { readFile } from "node:fs/promises";
import { ClientError } from "../client/client-error.js";
import { assertIdentity, type ClientTls } from "../client/client-tls.js";
import { readCertificates } from "../net/certificates.js";
import { toError } from "../net/system-error.js";
import { parseSecret, type ClientFiles } from "./client-options.js";

/** What a client calls with. */
export interface ClientCredentials {
  readonly secret: string | undefined;
  /** `undefined` for cleartext. */
  readonly tls: ClientTls | undefined;
}

/**
 * Reads the files that a client's options name.
 *
 * @throws ClientError `credentials` that names the file and says what is wrong with it, and shows nothing of it.
 */
export async function readClientFiles({ secret, secretFile, tls }: ClientFiles): Promise<ClientCredentials> {
  return {
    secret: secretFile === undefined ? secret : await readSecret(secretFile),
    tls: tls && (await readTls(tls)),
  };
}

async function readSecret(path: string): Promise<string> {
  const text = await readText("a secret", path);
  return naming(path, () => {
    // Editors end files with a line break.
    const secret = parseSecret(text.trim());
    if (secret === undefined) throw new Error("secret: the file is empty");
    return secret;
  });
}

async function readTls({ ca, identity, serverName }: NonNullable<ClientFiles["tls"]>): Promise<ClientTls> {
  return {
    serverName,
    ca: ca === undefined ? undefined : await naming("", async () => readCertificates(ca)),
    identity: identity && (await readIdentity(identity)),
  };
}

async function readIdentity(files: { readonly cert: string; readonly key: string }) {
  const cert = await naming("", async () => readCertificates(files.cert));
  const key = await readText("a key", files.key);
  await naming(files.key, () => {
    assertIdentity({ cert, key });
  });
  return { cert, key };
}

async function readText(what: string, path: string): Promise<string> {
  return naming("", async () => {
    try {
      return await readFile(path, "utf8");
    } catch (cause) {
      throw new Error(`cannot read ${what} from ${JSON.stringify(path)}: ${toError(cause).message}`, {
        cause,
      });
    }
  });
}

/** @param path - What the message of a failure begins with, unless that is in it already. */
async function naming<T>(path: string, task: () => T | Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (cause) {
    const start = path === "" ? "" : `${JSON.stringify(path)}: `;
    throw new ClientError("credentials", `${start}${toError(cause).message}`, { cause });
  }
}
