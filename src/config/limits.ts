import type { z } from "zod";
import { connectionLimitRange } from "../net/connection-limits.js";
import { countField } from "./fields.js";
import { section } from "./section.js";

/** The section `experimental.limits`: how many connections all inbounds together take. */
export type LimitsConfig = z.output<typeof limitsSchema>;

/** Checks the section `experimental.limits`. It may be missing as a whole. */
export const limitsSchema = section({
  connections: countField(
    "How many connections may be open at the same time, over all inbounds. Further ones are reset at once.",
    connectionLimitRange,
  ).default(65_536),
  connections_per_source: countField(
    "How many of them may come from one IPv4 address or one IPv6 /64. Further ones are reset at once.",
    connectionLimitRange,
  ).default(4_096),
})
  .prefault({})
  .describe(
    "How many TCP connections of clients the inbounds take; those to the API are not among them. sing-box has no such keys.",
  );
