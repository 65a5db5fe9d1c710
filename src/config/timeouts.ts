import type { z } from "zod";
import { durationField, durationOrNeverField } from "./duration-field.js";
import { section } from "./section.js";

/** The section `experimental.timeouts`: how long things may take that have no key of their own in sing-box. */
export type TimeoutsConfig = z.output<typeof timeoutsSchema>;

/** Checks the section `experimental.timeouts`. It may be missing as a whole. */
export const timeoutsSchema = section({
  handshake: durationField(
    "How long a client may take for each message of its handshake. The head of an HTTP request is one.",
    "15s",
  ),
  idle: durationOrNeverField(
    "After how long without a byte either way a TCP connection is cut, or up to an eighth later, but no more than a minute. People leave an SSH session alone for hours, and most peers that have vanished are noticed without it, by TCP keep-alive.",
    "0",
  ),
  linger: durationField(
    "How long a client may take to close behind our last word to it, a refusal for one, before it is cut.",
    "2s",
  ),
  http_keep_alive: durationField("How long an HTTP client may rest between two requests.", "60s"),
})
  .prefault({})
  .describe(
    "How long things may take, over all inbounds. sing-box has no such keys; those that it has are `udp_timeout` of inbounds and `connect_timeout` of outbounds.",
  );
