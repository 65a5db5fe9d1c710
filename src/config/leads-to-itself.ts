import { isIPv4 } from "node:net";
import { canonicalAddress } from "../net/ip-address.js";
import { isLoopback } from "../net/loopback.js";

/** Where an inbound listens, and where what arrives there goes. */
export interface FixedWay {
  readonly listen: string;
  readonly listen_port: number;
  readonly override_address: string;
  /** Default: that of `listen_port`. */
  readonly override_port?: number | undefined;
}

/**
 * Whether an inbound is its own destination, as far as that can be told without asking anybody: what other names and
 * addresses of the machine lead to is seen when somebody comes.
 */
export function leadsToItself({
  listen,
  listen_port: port,
  override_address: address,
  override_port: override = port,
}: FixedWay): boolean {
  if (override !== port) return false;
  const own = canonicalAddress(listen);
  return reachedBy(address).some(
    (reached) => reached === own || (isAny(own, reached) && isLoopback(reached)),
  );
}

/** The addresses that are meant: the unspecified address leads to the loopback, as the name `localhost` does. */
function reachedBy(address: string): readonly string[] {
  if (/^localhost\.?$/i.test(address)) return ["127.0.0.1", "::1"];
  const canonical = canonicalAddress(address);
  if (canonical === "0.0.0.0") return ["127.0.0.1"];
  return canonical === "::" ? ["::1"] : [canonical];
}

/** Whether who listens there listens at every address of that one's family; `::` is for both of them. */
function isAny(listen: string, address: string): boolean {
  return listen === "::" || (listen === "0.0.0.0" && isIPv4(address));
}
