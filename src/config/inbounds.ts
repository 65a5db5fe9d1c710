import { isIP } from "node:net";
import { z } from "zod";
import { portField, textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { section, typeOneOf } from "./section.js";
import { indexTag, tagField } from "./tag.js";
import { usersSchema } from "./users.js";

/** An entry of the section `inbounds`: where connections enter. Told apart by `type`. */
export type InboundConfig = z.output<typeof inboundsSchema>[number];

/** Where an inbound listens that does not say: reachable from this machine only. */
export const defaultInboundListen = "127.0.0.1";

/** The keys that every inbound has. */
const listenShape = {
  /** Default: the index in the list. */
  tag: tagField(),
  /** An IP address without brackets; `0.0.0.0` and `::` are every address. Default: `127.0.0.1`. */
  listen: textField(
    'an IP address without brackets, such as "127.0.0.1" or "::"',
    (address) => isIP(address) !== 0,
  ).default(defaultInboundListen),
  /** 0 to 65535; 0 takes any free port. Required. */
  listen_port: portField(),
};

/** SOCKS5 CONNECT and HTTP CONNECT on one port. */
const mixedInboundSchema = section({
  type: z.literal("mixed"),
  ...listenShape,
  users: usersSchema,
});

// A further type of inbound is one more schema in this list.
const inboundTypes = [mixedInboundSchema] as const;

const inboundSchema = z.discriminatedUnion("type", inboundTypes, {
  error: typeOneOf(inboundTypes.map(({ shape }) => shape.type.value)),
});

/** The section `inbounds`, every tag filled in. Default: none. */
export const inboundsSchema = listOrOne(inboundSchema)
  .transform((inbounds) =>
    inbounds.map((inbound, index) => ({ ...inbound, tag: inbound.tag ?? indexTag(index) })),
  )
  .default([]);
