import { unwatchFile, watch, watchFile, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";

export interface FileWatchOptions {
  /**
   * How long after the first hint it is told, in milliseconds: files that belong together change one after the other.
   * Default: 300.
   */
  readonly settleMs?: number;
  /** How often the files are looked at in any case, in milliseconds. Default: 10,000. */
  readonly pollMs?: number;
}

export interface FileWatch {
  stop(): void;
}

/**
 * Tells when some files may have changed, until it is stopped. It keeps no process alive.
 *
 * Files are replaced in many ways: written over, renamed over (editors), by way of a symbolic link that is renamed over
 * (certbot), or of one to a folder somewhere on the path (Kubernetes). So it is the folders that are watched, where the
 * system can, and the files are looked at now and then all the same, as they are behind all links. It can be told for
 * nothing: whoever is told reads the files and compares.
 */
export function watchFiles(
  paths: readonly string[],
  onHint: () => void,
  { settleMs = 300, pollMs = 10_000 }: FileWatchOptions = {},
): FileWatch {
  let settling: NodeJS.Timeout | undefined;
  const hint = (): void => {
    settling ??= setTimeout(() => {
      settling = undefined;
      onHint();
    }, settleMs).unref();
  };
  const folders = new Map(paths.map((path) => [dirname(path), new Set<string>()]));
  for (const path of paths) folders.get(dirname(path))?.add(basename(path));
  const watchers = Array.from(folders, ([folder, names]) => watchFolder(folder, names, hint));
  for (const path of paths) watchFile(path, { interval: pollMs, persistent: false }, hint);
  return {
    stop: () => {
      clearTimeout(settling);
      for (const watcher of watchers) watcher?.close();
      for (const path of paths) unwatchFile(path, hint);
    },
  };
}

/** @returns `undefined` where the system cannot, or has no room for more: looking at the files has to do then. */
function watchFolder(folder: string, names: ReadonlySet<string>, hint: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      // Kubernetes renames `..data`, through which all files lead.
      if (name === null || names.has(name) || name.startsWith("..")) hint();
    });
    watcher.on("error", () => {
      watcher.close();
    });
    return watcher;
  } catch {
    return undefined;
  }
}
