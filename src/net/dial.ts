import { lookup as dnsLookup } from "node:dns/promises";
import { connect, isIP, isIPv6, type Socket } from "node:net";
import { startDialDeadline, type DialDeadline } from "./dial-deadline.js";
import { DialError, dialErrorCodeOf, ownListenerError, type DialErrorCode } from "./dial-error.js";
import { formatEndpoint, type Endpoint } from "./endpoint.js";
import { tcpKeepAlive } from "./keep-alive.js";
import type { OwnListeners } from "./own-listeners.js";
import type { OwnSockets } from "./own-sockets.js";
import { unlessAborted } from "./unless-aborted.js";

/** Finds the addresses of a name, the preferred first. Fails with a system error such as `ENOTFOUND`. */
export type Lookup = (host: string) => Promise<readonly string[]>;

export interface DialOptions {
  /** How long look-up and connecting may take together, in milliseconds. Default: 5,000, as in sing-box. */
  readonly connectTimeoutMs?: number;
  /** How long the newest attempt goes unanswered before the next address is tried beside it. Default: 250 (RFC 8305 §8). */
  readonly attemptDelayMs?: number;
  /** Default: the operating system's resolver. */
  readonly lookup?: Lookup;
  /** Is given every attempt. Default: none. */
  readonly ownSockets?: OwnSockets;
  /** Where not to connect to: an address that leads there is passed over, and `own-listener` if all do. Default: none. */
  readonly ownListeners?: OwnListeners | undefined;
  /** Gives up with `aborted`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a TCP connection, to the first address of the destination that answers (Happy Eyeballs, RFC 8305 §5).
 *
 * Node's own `autoSelectFamily` ends an attempt before it starts the next one, so that a distant host with two
 * addresses can only be reached at its last; here earlier attempts go on.
 *
 * @returns a half-open capable socket that sends without delay, notices after five idle minutes that its other end has
 *   vanished, and has an `error` listener.
 * @throws DialError
 */
export async function dial(
  destination: Endpoint,
  {
    connectTimeoutMs = 5_000,
    attemptDelayMs = 250,
    lookup = systemLookup,
    ownSockets,
    ownListeners,
    signal,
  }: DialOptions = {},
): Promise<Socket> {
  const target = formatEndpoint(destination);
  const deadline = startDialDeadline(`connect to ${target}`, connectTimeoutMs, signal);
  try {
    const { host, port } = destination;
    const addresses = isIP(host) === 0 ? await resolve(host, target, lookup, deadline.signal) : [host];
    return await race(addresses, port, { target, attemptDelayMs, ownSockets, ownListeners, deadline });
  } finally {
    deadline.clear();
  }
}

/** Lets the address families take turns, beginning with the first address's (RFC 8305 §4). */
export function interleaveFamilies(addresses: readonly string[]): string[] {
  const firstIsV6 = isIPv6(addresses[0] ?? "");
  const first = addresses.filter((address) => isIPv6(address) === firstIsV6);
  const second = addresses.filter((address) => isIPv6(address) !== firstIsV6);
  const turns = Math.max(first.length, second.length);
  return Array.from({ length: turns }, (_, turn) => [first[turn], second[turn]])
    .flat()
    .filter((address) => address !== undefined);
}

/** Asks the resolver of the operating system. */
export const systemLookup: Lookup = async (host) => {
  const found = await dnsLookup(host, { all: true });
  return found.map(({ address }) => address);
};

async function resolve(
  host: string,
  target: string,
  lookup: Lookup,
  deadline: AbortSignal,
): Promise<readonly string[]> {
  deadline.throwIfAborted();
  try {
    // A look-up cannot be called off; its late answer is dropped.
    const addresses = await unlessAborted(lookup(host), deadline);
    if (addresses.length > 0) return interleaveFamilies(addresses);
  } catch (cause) {
    if (cause instanceof DialError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DialError("unresolved", `connect to ${target}: ${reason}`, { cause });
  }
  throw new DialError("unresolved", `connect to ${target}: the name has no address`);
}

interface RaceOptions {
  readonly target: string;
  readonly attemptDelayMs: number;
  readonly ownSockets: OwnSockets | undefined;
  readonly ownListeners: OwnListeners | undefined;
  readonly deadline: DialDeadline;
}

async function race(
  addresses: readonly string[],
  port: number,
  { target, attemptDelayMs, ownSockets, ownListeners, deadline }: RaceOptions,
): Promise<Socket> {
  if (deadline.reason !== undefined) throw deadline.reason;
  return new Promise((settle, reject) => {
    const waiting = [...addresses];
    const attempts = new Set<Socket>();
    const failures: Error[] = [];
    let nextAttempt: NodeJS.Timeout | undefined;
    deadline.whenOver(onDeadline);
    attempt();

    function attempt(): void {
      clearTimeout(nextAttempt);
      const host = waiting.shift();
      if (host === undefined) return;
      if (waiting.length > 0) nextAttempt = setTimeout(attempt, attemptDelayMs);
      if (ownListeners?.has("tcp", { host, port }) === true) {
        onFailure(ownListenerError({ host, port }));
        return;
      }
      const socket = connect({ host, port, allowHalfOpen: true, noDelay: true, ...tcpKeepAlive });
      ownSockets?.addConnecting(socket, { host, port });
      attempts.add(socket);
      const onError = (error: Error): void => {
        if (attempts.delete(socket)) onFailure(error);
      };
      socket.on("error", onError);
      socket.once("connect", () => {
        if (!attempts.delete(socket)) return;
        stop();
        // Errors of the connected socket are its user's to act on; here they only must not go unheard. The race is over: as
        // long as it had a listener of the socket's, nothing of it would be let go of.
        socket.on("error", ignore).off("error", onError);
        settle(socket);
      });
    }

    function onFailure(error: Error): void {
      failures.push(error);
      if (waiting.length > 0) attempt();
      else if (attempts.size === 0) {
        stop();
        reject(toDialError(failures, target));
      }
    }

    function onDeadline(reason: DialError): void {
      stop();
      reject(reason);
    }

    function stop(): void {
      clearTimeout(nextAttempt);
      deadline.whenOver(ignore);
      const losers = [...attempts];
      attempts.clear();
      for (const loser of losers) loser.destroy();
    }
  });
}

function ignore(): void {
  // See above.
}

/** Of several failures the one that came closest to the destination says most about it. */
const mostTelling: readonly DialErrorCode[] = [
  "own-listener",
  "refused",
  "host-unreachable",
  "timeout",
  "network-unreachable",
];

function toDialError(failures: readonly Error[], target: string): DialError {
  const code =
    mostTelling.find((known) => failures.some((error) => dialErrorCodeOf(error) === known)) ?? "failed";
  const cause = failures.find((error) => dialErrorCodeOf(error) === code) ?? failures[0];
  return new DialError(code, `connect to ${target}: ${cause?.message ?? "failed"}`, { cause });
}
