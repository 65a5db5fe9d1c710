import { z } from "zod";
import { blockOutboundSchema } from "./block-outbound.js";
import { directOutboundSchema } from "./direct-outbound.js";
import { httpOutboundSchema } from "./http-outbound.js";
import { listOrOne } from "./list-or-one.js";
import { typeOneOf } from "./section.js";
import { socksOutboundSchema } from "./socks-outbound.js";
import { indexTag } from "./tag.js";

/** An entry of the section `outbounds`: where connections leave. Told apart by `type`. */
export type OutboundConfig = z.output<typeof outboundsSchema>[number];

/** The outbound of a config that names none. */
export const defaultOutbound = { type: "direct", tag: "direct" } as const;

// A further type of outbound is one more schema in this list.
const outboundTypes = [
  directOutboundSchema,
  socksOutboundSchema,
  httpOutboundSchema,
  blockOutboundSchema,
] as const;

const outboundSchema = z.discriminatedUnion("type", outboundTypes, {
  error: typeOneOf(outboundTypes.map(({ shape }) => shape.type.value)),
});

/** The section `outbounds`, every tag filled in. Default, also for an empty list: {@link defaultOutbound}. */
export const outboundsSchema = listOrOne(outboundSchema)
  .prefault([])
  .transform((outbounds) =>
    outbounds.length === 0 ? [directOutboundSchema.parse(defaultOutbound)] : outbounds,
  )
  .transform((outbounds) =>
    outbounds.map((outbound, index) => ({ ...outbound, tag: outbound.tag ?? indexTag(index) })),
  )
  .describe(
    'Where connections leave. The first one takes what no rule and no `route.final` sends elsewhere. Without any there is one of type `direct` with the tag "direct".',
  );
