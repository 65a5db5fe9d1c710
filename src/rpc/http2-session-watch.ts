import type { ServerHttp2Session } from "node:http2";
import { probeSession } from "./http2-session-probe.js";

export interface SessionTimeouts {
  /** How long a connection may take to its first complete request, in milliseconds. */
  readonly firstRequestTimeoutMs: number;
  /** How long a session that has served a call may be without another one, in milliseconds. */
  readonly http2IdleTimeoutMs: number;
  /** How often a session is asked whether its other side is still there, in milliseconds. */
  readonly http2PingIntervalMs: number;
}

/**
 * Ends HTTP/2 sessions that nobody uses: those without a complete request in time, those that have been without a call
 * for long, and those whose other side is gone. Node's HTTP/2 server watches none of it.
 */
export function watchSession(
  session: ServerHttp2Session,
  { firstRequestTimeoutMs, http2IdleTimeoutMs, http2PingIntervalMs }: SessionTimeouts,
): void {
  // Not close(): that would wait for a stream whose headers never end.
  const end = (): void => {
    session.destroy();
  };
  const firstRequest = setTimeout(end, firstRequestTimeoutMs);
  const probing = setInterval(probeSession(session, end), http2PingIntervalMs);
  let idle: NodeJS.Timeout | undefined;
  let runningCount = 0;
  session.on("stream", (stream) => {
    runningCount += 1;
    clearTimeout(idle);
    stream.once("end", () => {
      clearTimeout(firstRequest);
    });
    stream.once("close", () => {
      clearTimeout(firstRequest);
      runningCount -= 1;
      if (runningCount === 0 && !session.destroyed) idle = setTimeout(end, http2IdleTimeoutMs);
    });
  });
  session.once("close", () => {
    clearTimeout(firstRequest);
    clearInterval(probing);
    clearTimeout(idle);
  });
}
