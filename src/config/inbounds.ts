import { isIP } from "node:net";
import { z } from "zod";
import { portField, textField, typeField } from "./fields.js";
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
  tag: tagField(),
  listen: textField(
    "The address to listen on; `0.0.0.0` and `::` are every address of the machine.",
    'an IP address without brackets, such as "127.0.0.1" or "::"',
    (address) => isIP(address) !== 0,
  ).default(defaultInboundListen),
  listen_port: portField("The port to listen on; 0 takes any free port."),
};

const mixedInboundSchema = section({
  type: typeField("mixed"),
  ...listenShape,
  users: usersSchema,
}).describe(
  "Everything that the types `socks` and `http` speak, on one port. The first byte of a connection tells which it is.",
);

const socksInboundSchema = section({
  type: typeField("socks"),
  ...listenShape,
  users: usersSchema,
}).describe(
  "SOCKS4, SOCKS4a and SOCKS5 (CONNECT). With users, SOCKS5 clients log in and SOCKS4 is refused, because it carries no password.",
);

const httpInboundSchema = section({
  type: typeField("http"),
  ...listenShape,
  users: usersSchema,
}).describe(
  "HTTP proxy: CONNECT, and requests for `http://` URLs with keep-alive and pipelining. With users, clients log in with Basic authentication.",
);

// A further type of inbound is one more schema in this list.
const inboundTypes = [mixedInboundSchema, socksInboundSchema, httpInboundSchema] as const;

const inboundSchema = z.discriminatedUnion("type", inboundTypes, {
  error: typeOneOf(inboundTypes.map(({ shape }) => shape.type.value)),
});

/** The section `inbounds`, every tag filled in. Default: none. */
export const inboundsSchema = listOrOne(inboundSchema)
  .transform((inbounds) =>
    inbounds.map((inbound, index) => ({ ...inbound, tag: inbound.tag ?? indexTag(index) })),
  )
  .default([])
  .describe("Where connections enter.");
