import { z } from "zod";
import { listOrOne } from "./list-or-one.js";
import { section, typeOneOf } from "./section.js";
import { indexTag, tagField } from "./tag.js";

/** An entry of the section `outbounds`: where connections leave. Told apart by `type`. */
export type OutboundConfig = z.output<typeof outboundsSchema>[number];

/** The outbound of a config that names none. */
export const defaultOutbound = { type: "direct", tag: "direct" } as const;

/** Connects to the destination itself. */
const directOutboundSchema = section({
  type: z.literal("direct"),
  /** Default: the index in the list. */
  tag: tagField(),
});

// A further type of outbound is one more schema in this list.
const outboundTypes = [directOutboundSchema] as const;

const outboundSchema = z.discriminatedUnion("type", outboundTypes, {
  error: typeOneOf(outboundTypes.map(({ shape }) => shape.type.value)),
});

/** The section `outbounds`, every tag filled in. Default, also for an empty list: {@link defaultOutbound}. */
export const outboundsSchema = listOrOne(outboundSchema)
  .prefault([])
  .transform((outbounds) =>
    outbounds.length === 0
      ? [{ ...defaultOutbound }]
      : outbounds.map((outbound, index) => ({ ...outbound, tag: outbound.tag ?? indexTag(index) })),
  );
