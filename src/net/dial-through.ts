import type { Socket } from "node:net";
import { ReadError } from "./byte-reader.js";
import { dial, type DialOptions } from "./dial.js";
import { startDialDeadline } from "./dial-deadline.js";
import { DialError } from "./dial-error.js";
import type { Endpoint } from "./endpoint.js";
import { resetConnection } from "./reset.js";
import { unlessAborted } from "./unless-aborted.js";

/**
 * What has to be said on a connection before it is of use. When its time is over the socket is destroyed, and whatever it
 * still makes has to end with that.
 *
 * @throws DialError with the bare reason; ReadError.
 */
export type Handshake<T> = (socket: Socket) => Promise<T>;

/** How a server is dialled; the time is for look-up, connecting and handshake together. */
export interface DialThroughOptions<T> extends DialOptions {
  /** What the dial is after, as the message of its failure begins. */
  readonly what: string;
  readonly handshake: Handshake<T>;
}

/**
 * Connects to a server that leads further, and tells it where to. When that fails the connection is gone.
 *
 * @returns what the handshake does.
 * @throws DialError whose message says what the dial is after, and why there is none of it: as the handshake fails, or
 *   `timeout` or `aborted`; `failed` if the server cannot be reached.
 */
export async function dialThrough<T>(
  server: Endpoint,
  { what, handshake, connectTimeoutMs = 5_000, signal, ...options }: DialThroughOptions<T>,
): Promise<T> {
  const deadline = startDialDeadline(what, connectTimeoutMs, signal);
  try {
    const socket = await dialServer(server, { ...options, connectTimeoutMs, signal: deadline.signal });
    return await shakeHands(socket, handshake, deadline.signal);
  } catch (error) {
    throw deadline.reason ?? withPurpose(what, error);
  } finally {
    deadline.clear();
  }
}

/** A server that cannot be reached says nothing of what lies beyond it: that may well be there. */
async function dialServer(server: Endpoint, options: DialOptions): Promise<Socket> {
  try {
    return await dial(server, options);
  } catch (error) {
    if (!(error instanceof DialError) || error.code === "timeout") throw error;
    throw new DialError("failed", error.message, { cause: error });
  }
}

async function shakeHands<T>(socket: Socket, handshake: Handshake<T>, signal: AbortSignal): Promise<T> {
  try {
    signal.throwIfAborted();
    return await unlessAborted(handshake(socket), signal);
  } catch (error) {
    // Whom we break a handshake off with shall not take it for a half-close. Where Node was first, as it is with an answer
    // that is no HTTP or no TLS, the socket is closed in order already.
    resetConnection(socket);
    throw error;
  }
}

/** Anything but these two is nobody's fault but ours. */
function withPurpose(what: string, error: unknown): unknown {
  if (error instanceof ReadError)
    return new DialError("failed", `${what}: ${error.message}`, { cause: error });
  return error instanceof DialError
    ? new DialError(error.code, `${what}: ${error.message}`, { cause: error })
    : error;
}
