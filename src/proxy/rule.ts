import type { ConnectionMetadata } from "../track/connection-tracker.js";
import type { Outbound } from "./outbound.js";

/** What a rule may ask about a connection, or about a packet. */
export type RouteFacts = Pick<ConnectionMetadata, "inbound" | "user" | "network" | "source" | "destination">;

export interface RuleOptions {
  /** Tags of inbounds, of which one must be the connection's. Default: any inbound. */
  readonly inbounds?: readonly string[] | undefined;
  /** Names of users, of which one must be the connection's. Default: any user, or none. */
  readonly users?: readonly string[] | undefined;
  readonly outbound: Outbound;
}

/** Sends connections that match everything it names to an outbound. */
export class Rule {
  readonly outbound: Outbound;
  readonly #inbounds: ReadonlySet<string> | undefined;
  readonly #users: ReadonlySet<string | undefined> | undefined;

  constructor({ inbounds, users, outbound }: RuleOptions) {
    this.outbound = outbound;
    this.#inbounds = inbounds && new Set(inbounds);
    this.#users = users && new Set(users);
  }

  matches({ inbound, user }: Pick<RouteFacts, "inbound" | "user">): boolean {
    return this.#inbounds?.has(inbound) !== false && this.#users?.has(user) !== false;
  }
}
