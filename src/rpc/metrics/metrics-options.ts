/** What is served beside the calls, at `/metrics`, `/scrape` and `/debug/vars`. */
export interface MetricsOptions {
  /** Whether any of it is served. Default: `true`; it stands behind the same guards as the calls. */
  readonly enabled?: boolean;
  /** What the names of v2ray-exporter's metrics begin with; dashboards have either. Default: `v2ray`. */
  readonly prefix?: "v2ray" | "xray";
  /**
   * Whether users have series of their own: two for each who was ever counted, which are many where users are, and tell
   * their names to whoever reads the metrics. Default: `true`.
   */
  readonly users?: boolean;
}
