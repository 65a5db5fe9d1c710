import type { z } from "zod";
import { durationField } from "./duration-field.js";
import { countField } from "./fields.js";
import { section } from "./section.js";

/** The section `experimental.v2ray_api.limits`. */
export type ApiLimitsConfig = z.output<typeof apiLimitsSchema>;

const million = 1_000_000;
const mebibyte = 2 ** 20;

/** Checks the section `experimental.v2ray_api.limits`. It may be missing as a whole. */
export const apiLimitsSchema = section({
  connections: countField(
    "How many connections may be open at the same time. Where neither secrets nor certificates are asked for, further ones are reset at once. Else one ends for each by which no right secret has come, of the source that has most such, and only where there is none it is reset.",
    { least: 1, most: 2 ** 24 },
  ).default(8_192),
  connections_per_source: countField(
    "How many of them may come from one IPv4 address or one IPv6 /64. Further ones are reset, or another one of the same source ends for them, as above.",
    { least: 1, most: 2 ** 24 },
  ).default(4_096),
  calls: countField(
    "How many calls and pages may be running at the same time. Further ones are UNAVAILABLE. Whoever asks for health without one of the secrets has half as many places, on their own.",
    { least: 1, most: million },
  ).default(1_024),
  calls_per_connection: countField(
    "How many of them may be of one connection. HTTP/2 clients are told and wait; over HTTP/1.1 further ones are RESOURCE_EXHAUSTED.",
    { least: 1, most: 10_000 },
  ).default(128),
  request_bytes: countField(
    "How large the message of a request may be, in bytes, as it comes and when it is inflated. Larger ones are RESOURCE_EXHAUSTED.",
    { least: 1_024, most: 4 * mebibyte },
  ).default(65_536),
  headers: countField(
    "How many headers a request may have. With more it is RESOURCE_EXHAUSTED, with twice as many cut off.",
    { least: 16, most: 1_000 },
  ).default(100),
  header_bytes: countField(
    "How many bytes their names and values may have. With more it is RESOURCE_EXHAUSTED, with twice as many cut off.",
    { least: 1_024, most: mebibyte },
  ).default(16_384),
  patterns: countField(
    "How many patterns a query may have. More are INVALID_ARGUMENT, as is all that follows up to `regexp_instructions`.",
    { least: 1, most: million },
  ).default(1_024),
  pattern_length: countField("How long each pattern may be, in characters.", {
    least: 1,
    most: mebibyte,
  }).default(16_384),
  regexp_length: countField("How long the regular expressions of a query may be together, in characters.", {
    least: 1,
    most: 65_536,
  }).default(4_096),
  regexp_repeats: countField(
    "What the repeat counts, `{n}` and `{n,m}`, in the regular expressions of a query may add up to.",
    { least: 0, most: 100_000 },
  ).default(2_000),
  regexp_instructions: countField(
    "How many instructions a regular expression may come to. `(a?){500}a{500}` comes to 2,502.",
    { least: 100, most: 100_000 },
  ).default(4_000),
  query_time: durationField(
    "How long the search for the counters of a query may take, the pauses left out in which others are served. What takes longer is RESOURCE_EXHAUSTED, and what it has reset is given back.",
    "5s",
  ),
  waiting_queries: countField(
    "How many queries that take more than 2 ms of the server's time may be waiting or being answered, with one secret or, without secrets, on one connection at most three for each that is left to others. Further ones are RESOURCE_EXHAUSTED. Any number of shorter ones may wait.",
    { least: 1, most: million },
  ).default(64),
  first_byte: durationField(
    "How long a connection may take to show whether it is HTTP/1.1 or HTTP/2, which takes up to 24 bytes.",
    "10s",
  ),
  request: durationField("How long a request may take to come whole, the first one from there on.", "45s"),
  http1_idle: durationField("How long an HTTP/1.1 connection may rest between two requests.", "75s"),
  http2_idle: durationField("How long an HTTP/2 connection may be without a call.", "10m"),
  http2_ping: durationField(
    "How often an HTTP/2 connection is asked whether its client is still there. One that is gone is cut the second time.",
    "1m",
  ),
  answer: durationField(
    "How long a caller may take to read each 64 KiB of an answer, be it a refusal, before it is cut off. What was reset for it is given back. What the kernel holds for a caller is not seen: over HTTP/1.1, who reads a large answer more slowly than about 60 KB/s may be cut off.",
    "30s",
  ),
  queued_answer_bytes: countField(
    "How many bytes of answers may wait for their callers, about half of them for one secret or, without secrets, one connection. While it is more, those are cut off who have read nothing for fifteen seconds and, if that is not enough, queries that find 2,048 counters or more are RESOURCE_EXHAUSTED, and what they have reset is given back.",
    { least: mebibyte, most: 2 ** 36 },
  ).default(128 * mebibyte),
  http2_resets: countField(
    "How many requests an HTTP/2 connection may cancel within a minute, a tenth of it before its first answer. One that goes beyond this, or what follows, is told ENHANCE_YOUR_CALM and closed.",
    { least: 1, most: million },
  ).default(200),
  http2_pings: countField(
    "How many PINGs it may send within a minute or, while calls are answered, from one to the next.",
    { least: 1, most: million },
  ).default(1_000),
  http2_settings: countField("The same for SETTINGS.", { least: 1, most: million }).default(100),
  http2_bytes: countField(
    "How many bytes it may send within a second beside what its requests may come to.",
    { least: 65_536, most: 2 ** 30 },
  ).default(mebibyte),
})
  .prefault({})
  .describe(
    "What requests, connections and all of them together may take of the API. `/metrics` tells what was refused for it, by its reason. sing-box has no such keys.",
  );
