import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";

/**
 * Makes a probe that is to be called at intervals: it calls `onGone` when the other side of a session has neither
 * answered the ping of the call before nor taken or sent a byte since (who reads slowly answers late, too, and is
 * spared), or when the session is over and the other side keeps its connection open.
 *
 * That finds peers that vanished without a word, and sessions that nghttp2 has ended for a protocol error: before Node 24
 * these stay open, unread, and do not notice when the client closes.
 */
export function probeSession(session: ServerHttp2Session, socket: Socket, onGone: () => void): () => void {
  let isAnswered = true;
  let movedBytes = 0;
  return () => {
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
    });
  };
}
