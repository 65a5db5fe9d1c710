/**
 * How long clients may take, in milliseconds. Others may take the place of these while they are in use, so whoever goes by
 * one of them reads it each time.
 */
export interface ClientTimes {
  /** For each message of a handshake; the head of an HTTP request is one. */
  readonly handshakeMs: number;
  /** To close behind our last word. */
  readonly lingerMs: number;
  /** Between two HTTP requests. */
  readonly httpKeepAliveMs: number;
}

/** What holds where nobody says otherwise. */
export const defaultClientTimes: ClientTimes = {
  handshakeMs: 15_000,
  lingerMs: 2_000,
  httpKeepAliveMs: 60_000,
};
