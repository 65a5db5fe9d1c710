import type { LoginBrake } from "../../net/login-brake.js";
import type { Users } from "../users.js";

/** What a SOCKS handshake of any version has to know. */
export interface SocksHandshakeOptions {
  /** Tag of the inbound, for the request. */
  readonly inbound: string;
  readonly users: Users;
  /** Slows the answers to those who log in wrongly. */
  readonly logins: Pick<LoginBrake, "release">;
  /** How long the client may take for each of its messages, in milliseconds. */
  readonly timeoutMs: number;
  /** How long the client may take to close when it is refused, in milliseconds. Default: as `endWith()` has it. */
  readonly lingerMs?: number;
  /** Whether the client may send packets, too (SOCKS5 only). Default: `false`. */
  readonly withPackets?: boolean;
}

/** The client was told that it gets no connection, and why; its socket is closing. */
export class SocksRefusal extends Error {
  override readonly name = "SocksRefusal";
}
