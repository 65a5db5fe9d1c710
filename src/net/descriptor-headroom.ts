import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { silentLogger, type Logger } from "../log/logger.js";
import { errorCodeOf } from "./system-error.js";

export interface DescriptorHeadroomOptions {
  /** Counts the descriptors that are free, as far as `most`. Default: opens as many, and closes them again. */
  readonly countFree?: (most: number) => number;
  /** A clock, in milliseconds. Default: that of the process. */
  readonly now?: () => number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** How many free descriptors are looked for at first; with half of what is found, they are too few. */
const enough = 64;

/**
 * How many connections more one count is good for: they take two descriptors each, ours and the one to the destination.
 */
const connectionsPerCount = 8;

/** How many answers one count is good for, however many of their connections have closed again: others take descriptors, too. */
const answersPerCount = 64;

/** How often it is counted, in milliseconds, while there are too few. */
const recountMs = 250;

/**
 * Tells whether there are descriptors (open files) left for another connection, with some to spare for what the open ones
 * need.
 *
 * Whoever accepts connections has to ask before the last descriptor is gone. After it accept(2) fails with EMFILE, and libuv
 * (in Node 20 to 26) then gives up a descriptor that it has in reserve to accept all that waits and closes it, with a plain
 * end, as if all had been said, and tells nobody. Nor can Node leave connections in the backlog: a server accepts as long as
 * it listens. The limit itself cannot be asked for, and may change, so it is tried out.
 */
export class DescriptorHeadroom {
  readonly #countFree: (most: number) => number;
  readonly #now: () => number;
  readonly #logger: Logger;
  /** With fewer it is short: 32, but fewer in a process that never had many to spare. Half of them stay free at least. */
  #least = 0;
  /** How many connections more the last count is good for, at most so many, and for how many answers. */
  #roomLeft = 0;
  #mostRoom = 0;
  #answersLeft = 0;
  #isShort = false;
  #countedAtMs = 0;

  constructor({
    countFree = countFreeDescriptors,
    now = () => performance.now(),
    logger = silentLogger,
  }: DescriptorHeadroomOptions = {}) {
    this.#countFree = countFree;
    this.#now = now;
    this.#logger = logger;
  }

  readonly hasRoom = (): boolean => {
    if (this.#isShort) return this.#hasRoomAgain();
    if (this.#roomLeft > 0 && this.#answersLeft > 0) {
      this.#roomLeft -= 1;
      this.#answersLeft -= 1;
      return true;
    }
    if (this.#least === 0) this.#least = Math.max(1, Math.floor(this.#countFree(enough) / 2));
    if (this.#countFree(this.#least) >= this.#least) {
      this.#mostRoom = Math.min(connectionsPerCount, Math.ceil(this.#least / 4)) - 1;
      this.#roomLeft = this.#mostRoom;
      this.#answersLeft = answersPerCount - 1;
      return true;
    }
    this.#isShort = true;
    this.#countedAtMs = this.#now();
    this.#logger.warn(
      `refusing connections: fewer than ${this.#least} file descriptors are left (raise ulimit -n)`,
    );
    return false;
  };

  /** To be called when a connection has closed that there was room for: another one can have its place uncounted. */
  readonly release = (): void => {
    if (this.#roomLeft < this.#mostRoom) this.#roomLeft += 1;
  };

  /** Half as many more than it took to be short, so that it does not become short at once. */
  #hasRoomAgain(): boolean {
    const nowMs = this.#now();
    if (nowMs - this.#countedAtMs < recountMs) return false;
    this.#countedAtMs = nowMs;
    const wanted = Math.ceil(this.#least * 1.5);
    if (this.#countFree(wanted) < wanted) return false;
    this.#isShort = false;
    this.#roomLeft = 0;
    this.#logger.info("accepting connections again: there are file descriptors");
    return true;
  }
}

/** A null device that cannot be opened for another reason says nothing about descriptors. */
function countFreeDescriptors(most: number): number {
  const opened: number[] = [];
  try {
    while (opened.length < most) opened.push(openSync(devNull, "r"));
    return most;
  } catch (error) {
    const code = errorCodeOf(error);
    return code === "EMFILE" || code === "ENFILE" ? opened.length : most;
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
  }
}
