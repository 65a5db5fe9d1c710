import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/** Asks the other side of a session whether it is there; each of its functions is to be called at intervals. */
export interface SessionProbe {
  /** Asks, or finds that the question before has not been answered. */
  readonly ask: () => void;
  /** The same, unless nothing has come since it was last known to be there. */
  readonly askIfHeard: () => void;
}

/**
 * Makes a probe: it calls `onGone` when the other side of a session has neither answered the ping of the question before nor
 * taken or sent a byte since (who reads slowly answers late, too, and is spared), or when the session is over and the other
 * side keeps its connection open.
 *
 * That finds peers that vanished without a word, and sessions that nghttp2 has ended for a protocol error: before Node 24
 * these stay open, unread, and do not notice when the client closes. Such an error comes with something that was sent, so
 * whoever has sent something is asked soon.
 */
export function probeSession(session: ServerHttp2Session, socket: Socket, onGone: () => void): SessionProbe {
  let isAnswered = true;
  let movedBytes = 0;
  /** How much had come when it was last known to be there. */
  let provenBytes = 0;
  const ask = (): void => {
    const { bytesRead, bytesWritten } = socket;
    const moved = bytesRead + bytesWritten;
    if (session.destroyed || (!isAnswered && moved === movedBytes)) {
      onGone();
      return;
    }
    movedBytes = moved;
    if (!isAnswered) return;
    isAnswered = false;
    session.ping(() => {
      isAnswered = true;
      provenBytes = socket.bytesRead;
    });
  };
  return {
    ask,
    askIfHeard: () => {
      if (socket.bytesRead !== provenBytes) ask();
    },
  };
}
