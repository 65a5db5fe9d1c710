import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import type { ApiLimits } from "./api-limits.js";
import { noteAnswer } from "./newcomer.js";
import { sparedEvent } from "./node-http.js";
import type { RefusalReason } from "./refusal-tally.js";

/** What an HTTP/2 connection may send beside requests. */
export type Http2Limits = Required<
  Pick<ApiLimits, "maxHttp2Resets" | "maxHttp2Pings" | "maxHttp2Settings" | "maxHttp2Bytes">
>;

export interface FloodWatchOptions extends Http2Limits {
  /** What the head and the message of a request may come to, in bytes. */
  readonly requestBytes: number;
  /** Called once, with what there was too much of: the session is to be ended. */
  readonly onFlood: (reason: RefusalReason) => void;
}

/**
 * Which part of the resets that there may be is for a connection that has not had an answer yet: whoever comes only to cancel
 * comes again and again.
 */
const newcomersShare = 0.1;
const minuteMs = 60_000;
const bytesIntervalMs = 1_000;

/**
 * Watches a session for what costs its client nothing and us something: requests that are cancelled as soon as they are
 * sent, PINGs and SETTINGS, each of which is answered, and frames that nobody is told of, by their bytes.
 *
 * What nghttp2 and Node end by themselves, in every version from 20 on, is not looked for here: more than a thousand answers
 * to PINGs and SETTINGS that the client does not read, CONTINUATION frames beyond eight, and frames that are invalid, empty
 * DATA among them.
 */
export function watchFloods(
  session: ServerHttp2Session,
  socket: Socket,
  { requestBytes, onFlood, ...limits }: FloodWatchOptions,
): void {
  let isOver = false;
  const flood = (reason: RefusalReason): void => {
    if (!isOver) onFlood(reason);
    isOver = true;
  };
  const onResets = (): void => {
    flood("http2_resets");
  };
  const resets = new MinuteCount(limits.maxHttp2Resets, onResets);
  const newcomersResets = new MinuteCount(newcomersResetsOf(limits), onResets);
  let isNew = true;
  const addReset = (): void => {
    resets.add();
    if (isNew) newcomersResets.add();
  };
  const pings = new MinuteCount(limits.maxHttp2Pings, () => {
    flood("http2_pings");
  });
  const settings = new MinuteCount(limits.maxHttp2Settings, () => {
    flood("http2_settings");
  });
  let bytesBefore = socket.bytesRead;
  let requestCount = 0;
  const timer = setInterval(() => {
    const bytes = socket.bytesRead - bytesBefore;
    // Requests that have begun before are still being sent.
    if (bytes > limits.maxHttp2Bytes + (requestCount + 1) * requestBytes) flood("http2_bytes");
    bytesBefore = socket.bytesRead;
    requestCount = 0;
  }, bytesIntervalMs);

  session.on("ping", () => {
    pings.add();
  });
  session.on("remoteSettings", () => {
    settings.add();
  });
  const open = new Set<ServerHttp2Stream>();
  session.on("stream", (stream) => {
    requestCount += 1;
    // Hundreds can come, and be cancelled, in the same bytes; that they are closed is told only after the last of them.
    for (const other of open) {
      if (other.rstCode === constants.NGHTTP2_NO_ERROR) continue;
      open.delete(other);
      addReset();
    }
    open.add(stream);
    stream.once(sparedEvent, () => {
      open.delete(stream);
    });
    stream.once("close", () => {
      // With its session, every request is over.
      if (!open.delete(stream) || session.destroyed) return;
      if (wasCancelled(stream)) {
        addReset();
        return;
      }
      isNew = false;
      noteAnswer(session);
      // Whoever calls may ask for much: clients measure with PINGs how fast an answer comes.
      pings.clear();
      settings.clear();
    });
  });
  socket.once("close", () => {
    clearInterval(timer);
  });
}

/** How many requests a connection may cancel before it has had an answer. */
export function newcomersResetsOf({ maxHttp2Resets }: Pick<Http2Limits, "maxHttp2Resets">): number {
  return Math.ceil(maxHttp2Resets * newcomersShare);
}

/** By the client, or by us for something that it did. */
function wasCancelled(stream: ServerHttp2Stream): boolean {
  return !stream.writableFinished || stream.rstCode !== constants.NGHTTP2_NO_ERROR;
}

/** Counts what happens within a minute, which begins with the first. */
class MinuteCount {
  readonly #max: number;
  readonly #onExceeded: () => void;
  #count = 0;
  #sinceMs = 0;

  constructor(max: number, onExceeded: () => void) {
    this.#max = max;
    this.#onExceeded = onExceeded;
  }

  add(): void {
    const nowMs = performance.now();
    if (this.#count === 0 || nowMs - this.#sinceMs >= minuteMs) {
      this.#count = 0;
      this.#sinceMs = nowMs;
    }
    this.#count += 1;
    if (this.#count > this.#max) this.#onExceeded();
  }

  clear(): void {
    this.#count = 0;
  }
}
