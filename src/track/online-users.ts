import { copyOf } from "../stats/copy-of.js";
import { assertTag, isTag } from "../stats/stat-name.js";
import type { ConnectionWatcher } from "./connection-table.js";
import type { ConnectionMetadata } from "./connection-tracker.js";
import { everyName } from "./stats-tracker.js";

/** Whom {@link OnlineUsers} knows. */
export interface OnlineUsersOptions {
  /** Names of the users to know; `*` is everybody who has a name. Default: everybody. */
  readonly users?: readonly string[];
  /** Whether a connection from the machine itself (127.0.0.0/8, ::1) makes its user online. Default: `true`. */
  readonly countLoopback?: boolean;
  /**
   * How many users who are gone are remembered, those who left last: names that come from outside shall not fill the memory.
   * Default: 100,000.
   */
  readonly maxGone?: number;
}

/**
 * Who is online: users with a connection in the {@link ConnectionTable} that this watches, and from which addresses.
 *
 * A user's connections are counted by address as they come and go, so that nobody has to go through the table, and a
 * connection's bytes cost nothing.
 *
 * ```js
 * const online = new OnlineUsers();
 * const connections = new ConnectionTable({ watchers: [online] });
 * ```
 */
export class OnlineUsers implements ConnectionWatcher {
  readonly #listed: ReadonlySet<string>;
  readonly #countLoopback: boolean;
  readonly #maxGone: number;
  /** Of each user who is online: how many connections there are from each address. */
  readonly #online = new Map<string, Map<string, number>>();
  /** Who has been seen and is not online, the last one last. */
  readonly #gone = new Set<string>();

  /**
   * Knows nobody at first.
   *
   * @throws RangeError if the name of a user contains `>>>` or ends with `>`.
   */
  constructor({ users = [everyName], countLoopback = true, maxGone = 100_000 }: OnlineUsersOptions = {}) {
    for (const user of users) assertTag(user);
    this.#listed = new Set(users);
    this.#countLoopback = countLoopback;
    this.#maxGone = maxGone;
  }

  /** The names of the users who are online, in the order in which they came. */
  users(): string[] {
    return [...this.#online.keys()];
  }

  /** The addresses from which a user is connected: none for one who is gone, `undefined` for one who was never seen. */
  addressesOf(user: string): string[] | undefined {
    const addresses = this.#online.get(user);
    if (addresses !== undefined) return [...addresses.keys()];
    return this.#gone.has(user) ? [] : undefined;
  }

  /** Called by the table. */
  opened({ user, source: { host } }: ConnectionMetadata): void {
    if (user === undefined || !this.#isListed(user)) return;
    const known = this.#online.get(user);
    if (!this.#countLoopback && isLoopback(host)) {
      if (known === undefined) this.#remember(copyOf(user));
      return;
    }
    const addresses = known ?? this.#welcome(copyOf(user));
    addresses.set(host, (addresses.get(host) ?? 0) + 1);
  }

  /** Called by the table. */
  closed({ user = "", source: { host } }: ConnectionMetadata): void {
    const addresses = this.#online.get(user);
    const count = addresses?.get(host);
    if (addresses === undefined || count === undefined) return;
    if (count > 1) {
      addresses.set(host, count - 1);
      return;
    }
    addresses.delete(host);
    if (addresses.size > 0) return;
    this.#online.delete(user);
    this.#remember(copyOf(user));
  }

  /** As a {@link StatsTracker} lists users: what cannot be part of a name that clients ask for is nobody's. */
  #isListed(user: string): boolean {
    return this.#listed.has(user) || (this.#listed.has(everyName) && user !== "" && isTag(user));
  }

  #welcome(user: string): Map<string, number> {
    const addresses = new Map<string, number>();
    this.#gone.delete(user);
    this.#online.set(user, addresses);
    return addresses;
  }

  #remember(user: string): void {
    this.#gone.delete(user);
    this.#gone.add(user);
    if (this.#gone.size <= this.#maxGone) return;
    const [oldest = ""] = this.#gone;
    this.#gone.delete(oldest);
  }
}

/** Without `node:net`, which counting alone does without. */
function isLoopback(address: string): boolean {
  return /^(?:::1$|(?:::ffff:)?127\.)/i.test(address);
}
