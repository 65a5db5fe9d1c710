import type { Duplex } from "node:stream";

type Resettable = Duplex & { resetAndDestroy: () => unknown };

/**
 * Ends a connection at once, with a reset where its kind can (TCP), so that the other side knows it was cut. Anything
 * else is destroyed: TLS and pipes refuse to be reset, and so does the kernel while our end is just being sent.
 */
export function resetConnection(connection: Duplex): void {
  if (isResettable(connection) && !isSendingEnd(connection)) {
    try {
      connection.resetAndDestroy();
      return;
    } catch {
      // ERR_INVALID_HANDLE_TYPE: a socket, but not of TCP.
    }
  }
  connection.destroy();
}

function isResettable(connection: Duplex): connection is Resettable {
  return "resetAndDestroy" in connection && typeof connection.resetAndDestroy === "function";
}

/** Between `end()` and its completion a reset fails with EINVAL, and leaves the socket open (libuv). */
function isSendingEnd({ writableEnded, writableLength, writableFinished }: Duplex): boolean {
  return writableEnded && writableLength === 0 && !writableFinished;
}
