/** What requests are refused for, all but the last before a call or a page is made of them. */
export const refusalReasons = [
  /** The Host is not ours. */
  "foreign_host",
  /** A web page of an origin that may not call. */
  "foreign_origin",
  "malformed_host",
  /** Without a secret, or with a wrong one. */
  "no_secret",
  "unknown_path",
  "unknown_service",
  "unknown_method",
  /** A call whose message never came to be read: too large, malformed, of a content type unknown here, or cut off. */
  "unreadable_call",
  /** A page that is asked for with another method than GET or HEAD. */
  "wrong_http_method",
  /** A page, while as many as may be are being written. */
  "too_many_pages",
  /** A call that may last, while as many as may be are open. It is a call all the same, which fails with that. */
  "too_many_streams",
] as const;
/** One of {@link refusalReasons}. */
export type RefusalReason = (typeof refusalReasons)[number];

/** How many requests were refused, by the reason. Whoever refuses one adds to it. */
export type RefusalTally = Record<RefusalReason, number>;

/** A tally of nothing yet. */
export function createRefusalTally(): RefusalTally {
  return {
    foreign_host: 0,
    foreign_origin: 0,
    malformed_host: 0,
    no_secret: 0,
    unknown_path: 0,
    unknown_service: 0,
    unknown_method: 0,
    unreadable_call: 0,
    wrong_http_method: 0,
    too_many_pages: 0,
    too_many_streams: 0,
  };
}
