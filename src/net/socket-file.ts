import { once } from "node:events";
import { chmod, link, lstat, mkdtemp, rename, rm, unlink } from "node:fs/promises";
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
  const folder = await mkdtemp(join(dirname(path), ".v2-"));
  try {
    const bound = join(folder, "s");
    server.listen({ path: bound });
    await once(server, "listening");
    await chmod(bound, 0o600);
    const { dev, ino } = await lstat(bound);
    if (!(await linkTo(bound, path))) {
      // No longer a name than the other: a longer one could not be connected to.
      await removeStale(path, join(folder, "o"));
      if (!(await linkTo(bound, path))) throw new Error("address in use");
    }
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

/** @returns whether there was nothing else. */
async function linkTo(file: string, path: string): Promise<boolean> {
  try {
    await link(file, path);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes a socket that nobody answers on, if there is one.
 *
 * Another process that begins may remove it first, and put its own into the place before this one does: a name says nothing of
 * what it leads to by then. So what is there is moved aside, looked at again where nobody else comes, and put back if somebody
 * does answer.
 */
async function removeStale(path: string, aside: string): Promise<void> {
  const found = await statOf(path);
  if (found === undefined || !(await isStale(path, found))) return;
  if (!isSame(await statOf(path), found) || !(await moveTo(aside, path))) return;
  const moved = await lstat(aside);
  if (isSame(moved, found) && (await codeOfConnecting(aside)) === "ECONNREFUSED") return;
  await linkTo(aside, path);
  throw new Error("address in use");
}

/**
 * @returns whether nobody answers; not if it has gone meanwhile.
 * @throws Error that says what is there otherwise.
 */
async function isStale(path: string, found: Stats): Promise<boolean> {
  if (!found.isSocket()) throw new Error("a file is there that is no socket");
  const code = await codeOfConnecting(path);
  if (code === "ENOENT") return false;
  if (code === undefined) throw new Error("address in use");
  // Whatever else is in the way of connecting, somebody may listen there.
  if (code !== "ECONNREFUSED")
    throw new Error(`a socket is there, and it is not known whether unused: ${code}`);
  return true;
}

/** @returns whether there was something to move. */
async function moveTo(aside: string, path: string): Promise<boolean> {
  try {
    await rename(path, aside);
    return true;
  } catch (error) {
    if (errorCodeOf(error) === "ENOENT") return false;
    throw error;
  }
}

function isSame(found: FileIdentity | undefined, other: FileIdentity): boolean {
  return found?.dev === other.dev && found.ino === other.ino;
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
  if (!isSame(await statOf(path), own)) return;
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
