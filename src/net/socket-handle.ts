import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** What lies beneath an open socket, as far as it is used here. */
export interface SocketHandle {
  /** From the next read on the socket reads into this buffer. */
  useUserBuffer(buffer: Uint8Array): unknown;
  /** Begins to read, after an end as well. Returns 0, or a negative number that says why not. */
  readStart(): unknown;
}

/**
 * The handle of a socket, for the two things that Node has no documented way to do with a connected socket: to read into a
 * buffer of one's own, and to read once more after an end. This is the only place that looks for it. Where it finds none,
 * everything is done as with any Duplex; reads into a buffer need members of the socket itself besides, without which
 * `SocketReads` takes none over.
 *
 * It is `undefined` for all that has no such handle, or no such methods in some later Node. Nor is it given for
 * subclasses, which are somebody else's (a `TLSSocket` reads what is not its payload), and on Windows, where the system
 * reads into a buffer meanwhile, so that none could be shared.
 */
export function socketHandleOf(stream: Duplex): SocketHandle | undefined {
  if (process.platform === "win32" || Object.getPrototypeOf(stream) !== Socket.prototype) return undefined;
  const handle: unknown = Reflect.get(stream, "_handle");
  return isSocketHandle(handle) ? handle : undefined;
}

function isSocketHandle(handle: unknown): handle is SocketHandle {
  return (
    typeof handle === "object" &&
    handle !== null &&
    "useUserBuffer" in handle &&
    typeof handle.useUserBuffer === "function" &&
    "readStart" in handle &&
    typeof handle.readStart === "function"
  );
}
