import { copyOf } from "../stats/copy-of.js";
import { assertTag, isTag } from "../stats/stat-name.js";
import type { ConnectionWatcher } from "./connection-table.js";
import type { ConnectionMetadata } from "./connection-tracker.js";
import { everyName } from "./stats-tracker.js";

/** Whom {@link OnlineUsers} tells of. */
export interface KnownUsers {
  /** Names of the users to know; `*` is everybody who has a name. Default: everybody. */
  readonly users?: readonly string[];
  /** Whether a connection from the machine itself (127.0.0.0/8, ::1) makes its user online. Default: `true`. */
  readonly countLoopback?: boolean;
}

/** Whom {@link OnlineUsers} tells of, and how many of them it remembers. */
export interface OnlineUsersOptions extends KnownUsers {
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
  readonly #maxGone: number;
  /** Of each user with connections, known or not: how many there are from each address. */
  readonly #connected = new Map<string, Map<string, number>>();
  /** Who has been known and connected, and is not any more, the last one last. */
  readonly #gone = new Set<string>();
  #listed: ReadonlySet<string> = new Set();
  #countLoopback = true;

  /**
   * Nobody has been seen at first.
   *
   * @throws RangeError if the name of a user contains `>>>` or ends with `>`.
   */
  constructor({ maxGone = 100_000, ...known }: OnlineUsersOptions = {}) {
    this.#maxGone = maxGone;
    this.know(known);
  }

  /**
   * Tells of others from now on, whenever their connections were opened.
   *
   * @throws RangeError if the name of a user contains `>>>` or ends with `>`. Nothing changes then.
   */
  know({ users = [everyName], countLoopback = true }: KnownUsers): void {
    for (const user of users) assertTag(user);
    this.#listed = new Set(users);
    this.#countLoopback = countLoopback;
  }

  /** The names of the users who are online, in the order in which they came. */
  users(): string[] {
    return [...this.#connected].flatMap(([user, addresses]) =>
      this.#isListed(user) && this.#counted(addresses).length > 0 ? [user] : [],
    );
  }

  /** The addresses from which a user is connected: none for one who is gone, `undefined` for one who was never seen. */
  addressesOf(user: string): string[] | undefined {
    if (!this.#isListed(user)) return undefined;
    const addresses = this.#connected.get(user);
    if (addresses !== undefined) return this.#counted(addresses);
    return this.#gone.has(user) ? [] : undefined;
  }

  /** Called by the table. */
  opened({ user, source: { host } }: ConnectionMetadata): void {
    if (user === undefined) return;
    const addresses = this.#connected.get(user) ?? this.#welcome(copyOf(user));
    addresses.set(host, (addresses.get(host) ?? 0) + 1);
  }

  /** Called by the table. */
  closed({ user, source: { host } }: ConnectionMetadata): void {
    if (user === undefined) return;
    const addresses = this.#connected.get(user);
    const count = addresses?.get(host);
    if (addresses === undefined || count === undefined) return;
    if (count > 1) {
      addresses.set(host, count - 1);
      return;
    }
    addresses.delete(host);
    if (addresses.size > 0) return;
    this.#connected.delete(user);
    if (this.#isListed(user)) this.#remember(copyOf(user));
  }

  #counted(addresses: ReadonlyMap<string, number>): string[] {
    return Array.from(addresses.keys()).filter((address) => this.#countLoopback || !isLoopback(address));
  }

  /** As a {@link StatsTracker} lists users: what cannot be part of a name that clients ask for is nobody's. */
  #isListed(user: string): boolean {
    return this.#listed.has(user) || (this.#listed.has(everyName) && user !== "" && isTag(user));
  }

  #welcome(user: string): Map<string, number> {
    const addresses = new Map<string, number>();
    this.#gone.delete(user);
    this.#connected.set(user, addresses);
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
