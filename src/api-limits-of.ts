import type { Config } from "./config/config.js";
import type { ApiLimits } from "./rpc/api-limits.js";
import type { ConnectionTimeouts } from "./rpc/one-port-server.js";

/** The limits of a config, by the names that the API server has for them. */
export function apiLimitsOf(
  limits: Config["experimental"]["v2ray_api"]["limits"],
): ApiLimits & ConnectionTimeouts {
  return {
    maxConnections: limits.connections,
    maxConnectionsPerSource: limits.connections_per_source,
    maxCalls: limits.calls,
    maxCallsPerConnection: limits.calls_per_connection,
    maxRequestBytes: limits.request_bytes,
    maxHeaders: limits.headers,
    maxHeaderBytes: limits.header_bytes,
    maxPatterns: limits.patterns,
    maxPatternLength: limits.pattern_length,
    maxRegexpLength: limits.regexp_length,
    maxRegexpRepeats: limits.regexp_repeats,
    maxRegexpInstructions: limits.regexp_instructions,
    maxQueryMs: limits.query_time,
    maxWaitingQueries: limits.waiting_queries,
    sniffTimeoutMs: limits.first_byte,
    firstRequestTimeoutMs: limits.request,
    http1IdleTimeoutMs: limits.http1_idle,
    http2IdleTimeoutMs: limits.http2_idle,
    http2PingIntervalMs: limits.http2_ping,
    answerTimeoutMs: limits.answer,
    maxQueuedAnswerBytes: limits.queued_answer_bytes,
    maxHttp2Resets: limits.http2_resets,
    maxHttp2Pings: limits.http2_pings,
    maxHttp2Settings: limits.http2_settings,
    maxHttp2Bytes: limits.http2_bytes,
  };
}
