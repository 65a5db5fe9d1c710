import { z } from "zod";
import { typeField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { section, typeOneOf } from "./section.js";
import { indexTag, tagField } from "./tag.js";

/** An entry of the section `outbounds`: where connections leave. Told apart by `type`. */
export type OutboundConfig = z.output<typeof outboundsSchema>[number];

/** The outbound of a config that names none. */
export const defaultOutbound = { type: "direct", tag: "direct" } as const;

const directOutboundSchema = section({
  type: typeField("direct"),
  tag: tagField(),
}).describe("Connects to the destination itself, within five seconds.");

const blockOutboundSchema = section({
  type: typeField("block"),
  tag: tagField(),
}).describe(
  "Ends connections: SOCKS5 clients are answered 02 (not allowed by ruleset), SOCKS4 clients 5B, HTTP clients 403. What is blocked is not counted.",
);

// A further type of outbound is one more schema in this list.
const outboundTypes = [directOutboundSchema, blockOutboundSchema] as const;

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
  )
  .describe(
    'Where connections leave. The first one takes what no rule and no `route.final` sends elsewhere. Without any there is one of type `direct` with the tag "direct".',
  );
