/** What one request, one connection and all of them together may take of an API server. */
export interface ApiLimits {
  /** Largest request message, in bytes, compressed or not; inflating stops there. Default: 65,536. */
  readonly maxRequestBytes?: number;
  /** Most headers of a request. Default: 100. */
  readonly maxHeaders?: number;
  /** Largest head of a request, in bytes: its headers' names and values. Default: 16,384. */
  readonly maxHeaderBytes?: number;
  /** Most patterns of a query. Default: 1,024. */
  readonly maxPatterns?: number;
  /** Longest pattern of a query, in characters. Default: 16,384. */
  readonly maxPatternLength?: number;
  /** Most characters of a query's regular expressions together. Default: 4,096. */
  readonly maxRegexpLength?: number;
  /** Largest sum of the repeat counts, `{n}` and `{n,m}`, of a query's regular expressions. Default: 2,000. */
  readonly maxRegexpRepeats?: number;
  /** Largest regular expression when compiled, in instructions. Default: 4,000. */
  readonly maxRegexpInstructions?: number;
  /** How long looking for a query's counters may take, in milliseconds, the pauses left out. Default: 5,000. */
  readonly maxQueryMs?: number;
  /**
   * How many queries that take more than 5 ms may be waiting or being answered, of one caller at most three for each that is
   * left to others. Default: 64.
   */
  readonly maxWaitingQueries?: number;
  /**
   * Calls and pages that may be running at the same time, over all connections. Where there are secrets, those who ask for health
   * without one have half as many places of their own, of which one source gets half. Default: 1,024.
   */
  readonly maxCalls?: number;
  /** How many of them may be of one connection. Default: 128. */
  readonly maxCallsPerConnection?: number;
  /** How long a caller may take for each 64 KiB of an answer, be it a refusal, in milliseconds. Default: 30,000. */
  readonly answerTimeoutMs?: number;
  /** Bytes of answers that may wait to be read before queries with large ones are refused. Default: 134,217,728. */
  readonly maxQueuedAnswerBytes?: number;
  /** Connections that may be open at the same time. Further ones are reset. Default: 8,192. */
  readonly maxConnections?: number;
  /** How many of them may be of one IPv4 address or one IPv6 /64. Further ones are reset. Default: 4,096. */
  readonly maxConnectionsPerSource?: number;
  /** Requests that an HTTP/2 connection may cancel within a minute, a tenth of it before its first answer. Default: 200. */
  readonly maxHttp2Resets?: number;
  /** PINGs that an HTTP/2 connection may send within a minute, from its last answer on. Default: 1,000. */
  readonly maxHttp2Pings?: number;
  /** SETTINGS that an HTTP/2 connection may send within a minute, from its last answer on. Default: 100. */
  readonly maxHttp2Settings?: number;
  /** Bytes that an HTTP/2 connection may send within a second, beside those that its requests may have. Default: 1,048,576. */
  readonly maxHttp2Bytes?: number;
}

/** The defaults of all {@link ApiLimits}. */
export const defaultApiLimits: Required<ApiLimits> = {
  maxRequestBytes: 65_536,
  maxHeaders: 100,
  maxHeaderBytes: 16_384,
  maxPatterns: 1_024,
  maxPatternLength: 16_384,
  maxRegexpLength: 4_096,
  maxRegexpRepeats: 2_000,
  maxRegexpInstructions: 4_000,
  maxQueryMs: 5_000,
  maxWaitingQueries: 64,
  maxCalls: 1_024,
  maxCallsPerConnection: 128,
  answerTimeoutMs: 30_000,
  maxQueuedAnswerBytes: 134_217_728,
  maxConnections: 8_192,
  maxConnectionsPerSource: 4_096,
  maxHttp2Resets: 200,
  maxHttp2Pings: 1_000,
  maxHttp2Settings: 100,
  maxHttp2Bytes: 1_048_576,
};
