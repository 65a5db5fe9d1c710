import { constants, type ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { probeSession } from "./http2-session-probe.js";

export interface SessionTimeouts {
  /** How long a connection may take to its first complete request, and any later request to its end, in milliseconds. */
  readonly firstRequestTimeoutMs: number;
  /** How long a session that has served a call may be without another one, in milliseconds. */
  readonly http2IdleTimeoutMs: number;
  /** How often a session is asked whether its other side is still there, in milliseconds. */
  readonly http2PingIntervalMs: number;
}

export interface SessionWatchOptions extends SessionTimeouts {
  /** Told when a session is ended, or a request cancelled, because it took too long. Default: nobody is told. */
  readonly onSlow?: () => void;
}

/**
 * How often a session without a running call that has sent something is asked whether it is still there: what was sent may have
 * been its end, of which nobody is told, and it holds a descriptor.
 */
const heardPingIntervalMs = 3_000;
/** How long a session that was ended may take to say so and to see the other side close. */
const lingerMs = 2_000;
/** The same, where the other side is at fault: who has sent too much is read no longer. */
const faultLingerMs = 100;

/**
 * Ends HTTP/2 sessions that nobody uses: those without a complete request in time, those that have been without a call
 * for long, and those whose other side is gone; also requests that do not end. Node's HTTP/2 server watches none of it.
 *
 * @param socket - What the session runs on: it can outlive the session, which ends with a FIN that the other side need
 *   not answer.
 * @returns what ends the session, whatever runs, with the code that its client is told.
 */
export function watchSession(
  session: ServerHttp2Session,
  socket: Socket,
  { firstRequestTimeoutMs, http2IdleTimeoutMs, http2PingIntervalMs, onSlow }: SessionWatchOptions,
): (code?: number) => void {
  let lingering: NodeJS.Timeout | undefined;
  let idle: NodeJS.Timeout | undefined;
  let runningCount = 0;
  const destroySocket = (): void => {
    socket.destroy();
  };
  // Not close() alone: that would wait for a stream whose headers never end.
  const end = (code: number = constants.NGHTTP2_NO_ERROR): void => {
    const isFault = code !== constants.NGHTTP2_NO_ERROR;
    if (!session.destroyed) session.goaway(code);
    // It is not destroyed before all is read that has come, and until then makes no streams of what there may be of requests.
    if (isFault) session.close();
    session.destroy();
    lingering ??= setTimeout(destroySocket, isFault ? faultLingerMs : lingerMs);
  };
  const firstRequest = setTimeout(() => {
    onSlow?.();
    end();
  }, firstRequestTimeoutMs);
  const { ask, askIfHeard } = probeSession(session, socket, destroySocket);
  const probeIntervalMs = Math.min(heardPingIntervalMs, http2PingIntervalMs);
  let sinceAskedMs = 0;
  // One timer for both: two questions at once would look like one that is not answered.
  const probing = setInterval(() => {
    sinceAskedMs += probeIntervalMs;
    if (sinceAskedMs >= http2PingIntervalMs) {
      sinceAskedMs = 0;
      ask();
    } else if (runningCount === 0) {
      // Who is being answered may take a while to read, and says nothing meanwhile.
      askIfHeard();
    }
  }, probeIntervalMs);

  session.on("stream", (stream) => {
    runningCount += 1;
    clearTimeout(idle);
    const request = setTimeout(() => {
      onSlow?.();
      stream.close(constants.NGHTTP2_CANCEL);
    }, firstRequestTimeoutMs);
    const onComplete = (): void => {
      clearTimeout(request);
      clearTimeout(firstRequest);
    };
    if (stream.endAfterHeaders) onComplete();
    stream.once("end", onComplete);
    stream.once("close", () => {
      clearTimeout(request);
      // One that was cancelled before its answer was no request.
      if (stream.headersSent) clearTimeout(firstRequest);
      runningCount -= 1;
      if (runningCount === 0 && !socket.destroyed) idle = setTimeout(end, http2IdleTimeoutMs);
    });
  });
  socket.once("close", () => {
    clearTimeout(firstRequest);
    clearTimeout(idle);
    clearTimeout(lingering);
    clearInterval(probing);
  });
  return end;
}
