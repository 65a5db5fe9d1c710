import { isIP } from "node:net";
import { z } from "zod";
import { durationField } from "./duration-field.js";
import { flagField, hostField, portField, remotePortField, textField, typeField } from "./fields.js";
import { leadsToItself } from "./leads-to-itself.js";
import { listOrOne } from "./list-or-one.js";
import { networksField } from "./networks.js";
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

/** The keys of those that lead wherever a client wants to go. */
const loginShape = {
  users: usersSchema,
  insecure: flagField(
    "Whether it may listen beyond loopback without users, so that whoever reaches it can use the proxy.",
  ).default(false),
};

/** How long packets may fail to come, in the inbounds that take them. As in sing-box. */
const udpTimeout = durationField(
  "After how long without a packet either way a UDP client's connection is over.",
  "5m",
);

const mixedInboundSchema = section({
  type: typeField("mixed"),
  ...listenShape,
  ...loginShape,
  udp_timeout: udpTimeout,
}).describe(
  "Everything that the types `socks` and `http` speak, on one port. The first byte of a connection tells which it is.",
);

const socksInboundSchema = section({
  type: typeField("socks"),
  ...listenShape,
  ...loginShape,
  udp_timeout: udpTimeout,
}).describe(
  "SOCKS4, SOCKS4a (CONNECT) and SOCKS5 (CONNECT and UDP ASSOCIATE). With users, SOCKS5 clients log in and SOCKS4 is refused, because it carries no password. At most 4,096 clients may be associated for UDP at a time; whom they write to may answer, and nobody else.",
);

const httpInboundSchema = section({
  type: typeField("http"),
  ...listenShape,
  ...loginShape,
}).describe(
  "HTTP proxy: CONNECT, and requests for `http://` URLs with keep-alive and pipelining. With users, clients log in with Basic authentication.",
);

const directInboundSchema = section({
  type: typeField("direct"),
  ...listenShape,
  network: networksField("What it takes, TCP connections or UDP packets."),
  override_address: hostField("Where everything goes that arrives."),
  override_port: remotePortField("The port there. Default: that of `listen_port`.").optional(),
  udp_timeout: udpTimeout,
})
  .refine(({ listen_port: port, override_port: override }) => port !== 0 || override !== undefined, {
    error: 'an "override_port", since the "listen_port" is any free one',
  })
  .refine((inbound) => !leadsToItself(inbound), { error: "another destination than the inbound itself" })
  .describe(
    "A port in front of one service, a database, a DNS server or a game, that counts what passes. Nobody logs in, so nobody is counted as a user. To the service every client comes from this machine. What an outbound of type `direct` brings here is refused: it would run in a circle.",
  );

// A further type of inbound is one more schema in this list.
const inboundTypes = [
  mixedInboundSchema,
  socksInboundSchema,
  httpInboundSchema,
  directInboundSchema,
] as const;

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
