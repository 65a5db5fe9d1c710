/** How a server was while it was attacked. */
export interface AttackReport {
  readonly kind: "report";
  /** The most that its resident set was. */
  readonly peakRssBytes: number;
  /** The longest that its event loop was late, and how late it was in 99 of 100 looks. */
  readonly maxDelayMs: number;
  readonly usualDelayMs: number;
}

/** The first word of a server: where it listens. */
export interface Started {
  readonly kind: "started";
  readonly port: number;
  readonly proxyPort: number;
}
