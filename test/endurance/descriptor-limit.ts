import { readFileSync } from "node:fs";

/** Beyond what a run counts: standard streams, the event loop, the channel to the proxy's process, listeners. */
const spareCount = 64;

/**
 * Fails if this process may not open as many files as wanted. Node raises its limit to the hard one by itself, and so will
 * the proxy's process.
 *
 * @param limits - Default: those of this process, in the words of Linux.
 */
export function assertDescriptors(
  { name, descriptorCount }: { readonly name: string; readonly descriptorCount: number },
  limits = readFileSync("/proc/self/limits", "latin1"),
): void {
  const [, soft = "unlimited"] = /^Max open files\s+(\S+)/m.exec(limits) ?? [];
  const limit = soft === "unlimited" ? Infinity : Number(soft);
  const wanted = descriptorCount + spareCount;
  if (wanted <= limit) return;
  throw new RangeError(
    `${name} wants ${wanted} open files in a process, which may have ${limit}: ` +
      `raise the hard limit (ulimit -Hn), or make the run smaller (--scale ${(limit / wanted).toFixed(2)})`,
  );
}
