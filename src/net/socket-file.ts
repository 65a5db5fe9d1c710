import { once } from "node:events";
import { chmod, link, lstat, mkdtemp, rm, unlink } from "node:fs/promises";
import type { Stats } from "node:fs";
import { connect, type Server } from "node:net";
import { dirname, join } from "node:path";
import { parseListenAddress } from "./listen-address.js";
import { errorCodeOf } from "./system-error.js";

/** The file of a Unix socket on which a server listens. */
export interface SocketFile {
  /** Removes it, unless somebody else has put another one into its place. Safe to call twice. */
  remove(): Promise<void>;
}

/**
 * Has a server listen on a Unix socket that only the user of this process (and root) can open: mode 0600.
 *
 * At no moment is it more open. It is made in a folder of its own beside its place, which nobody else can enter (0700),
 * gets its mode there, and is then linked to its place, which fails where there is something already. That needs no umask,
 * which would hold for the whole process, and leaves the file's name to us: Node removes the name that it has bound, whoever
 * that belongs to by then.
 *
 * A socket that nobody answers on, as a killed process leaves it, is replaced. One that somebody answers on is not, and
 * neither is any other kind of file, symbolic links included.
 *
 * @throws Error that says what is in the way; the server does not listen then.
 */
export async function listenOnSocketFile(server: Server, path: string): Promise<SocketFile> {
  if (parseListenAddress(`unix:${path}`) === undefined)
    throw new Error("not the path of a socket, or too long");
  await removeStale(path);
  const folder = await mkdtemp(join(dirname(path), ".v2-"));
  try {
    const bound = join(folder, "s");
    server.listen({ path: bound });
    await once(server, "listening");
    await chmod(bound, 0o600);
    const { dev, ino } = await lstat(bound);
    await linkTo(bound, path);
    return { remove: async () => removeOwn(path, { dev, ino }) };
  } catch (error) {
    if (server.listening) server.close();
    throw error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What tells a file from another one of the same name. */
interface FileIdentity {
  readonly dev: number;
  readonly ino: number;
}

async function linkTo(bound: string, path: string): Promise<void> {
  try {
    await link(bound, path);
  } catch (error) {
    if (errorCodeOf(error) === "EEXIST") throw new Error("address in use", { cause: error });
    throw error;
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await statOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error("a file is there that is no socket");
  const code = await codeOfConnecting(path);
  if (code === undefined) throw new Error("address in use");
  // Whatever else is in the way of connecting, somebody may listen there.
  if (code !== "ECONNREFUSED")
    throw new Error(`a socket is there, and it is not known whether unused: ${code}`);
  await removeOwn(path, found);
}

/** @returns `undefined` where somebody answers. */
async function codeOfConnecting(path: string): Promise<string | undefined> {
  const probe = connect({ path });
  try {
    await once(probe, "connect");
    return undefined;
  } catch (error) {
    return errorCodeOf(error) ?? String(error);
  } finally {
    probe.destroy();
  }
}

async function removeOwn(path: string, own: FileIdentity): Promise<void> {
  const found = await statOf(path);
  if (found?.dev !== own.dev || found.ino !== own.ino) return;
  try {
    await unlink(path);
  } catch (error) {
    if (errorCodeOf(error) !== "ENOENT") throw error;
  }
}

async function statOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
