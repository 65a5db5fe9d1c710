/** What requests are refused for, and what connections are cut for. */
export const refusalReasons = [
  /** The Host is not ours. */
  "foreign_host",
  /** A web page of an origin that may not call. */
  "foreign_origin",
  "malformed_host",
  /** Without a secret, or with a wrong one. */
  "no_secret",
  /** As before, while as many as may be wait to be told so: it is cut off instead. */
  "too_many_wrong_secrets",
  "unknown_path",
  "unknown_service",
  "unknown_method",
  /** A call whose message is too large, as it comes or when it is inflated. */
  "large_request",
  /** A call whose message never came to be read for another reason: malformed, of a content type unknown here, cut off. */
  "unreadable_call",
  /** A page that is asked for with another method than GET or HEAD. */
  "wrong_http_method",
  /** A page, while as many as may be are being written. */
  "too_many_pages",
  /** A call that may last, while as many as may be are open. It is a call all the same, which fails with that. */
  "too_many_streams",
  /** A request with too many headers, or too many bytes of them. */
  "large_headers",
  /** A request, while as many as may be are running, in all or of its connection. */
  "too_many_calls",
  "too_many_calls_of_connection",
  /** A query with too many patterns, one that is too long, or regular expressions that come to too much. */
  "many_patterns",
  "long_pattern",
  "costly_regexp",
  /** A query whose patterns take too long for the counters that there are. */
  "long_query",
  /** A query that takes long, while as many such as may be are there, in all or of its caller. */
  "waiting_queries",
  /** An answer that nobody reads, cut off to make room for others; a query with a large one, while there is no room for it. */
  "queued_answers",
  /** An answer whose caller does not read it, cut off. */
  "slow_reader",
  /** A connection, while as many as may be are open, in all or of its source. */
  "too_many_connections",
  "too_many_connections_of_source",
  /** A connection by which no right secret has come, ended for another one where there would be too many. */
  "displaced_connection",
  /** A connection of our own proxy, whose clients may not call. */
  "own_connection",
  /** A connection that did not begin a request, or did not end it, in time. */
  "no_first_byte",
  "slow_request",
  /** An HTTP/2 connection with more cancelled requests, PINGs, SETTINGS or bytes between the calls than there may be. */
  "http2_resets",
  "http2_pings",
  "http2_settings",
  "http2_bytes",
  /** An HTTP/2 connection that Node itself ends: a flood, or what is no HTTP/2. */
  "http2_errors",
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
    too_many_wrong_secrets: 0,
    unknown_path: 0,
    unknown_service: 0,
    unknown_method: 0,
    large_request: 0,
    unreadable_call: 0,
    wrong_http_method: 0,
    too_many_pages: 0,
    too_many_streams: 0,
    large_headers: 0,
    too_many_calls: 0,
    too_many_calls_of_connection: 0,
    many_patterns: 0,
    long_pattern: 0,
    costly_regexp: 0,
    long_query: 0,
    waiting_queries: 0,
    queued_answers: 0,
    slow_reader: 0,
    too_many_connections: 0,
    too_many_connections_of_source: 0,
    displaced_connection: 0,
    own_connection: 0,
    no_first_byte: 0,
    slow_request: 0,
    http2_resets: 0,
    http2_pings: 0,
    http2_settings: 0,
    http2_bytes: 0,
    http2_errors: 0,
  };
}
