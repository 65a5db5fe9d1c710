import type { Socket } from "node:net";
import { readParsed } from "../../net/byte-reader.js";
import { endWith } from "../../net/linger.js";
import { remoteEndpointOf } from "../../net/socket-endpoint.js";
import type { ProxyRequest } from "../inbound.js";
import { formatSocks4Reply, parseSocks4Request, socks4Replies } from "./socks4.js";
import { SocksRefusal, type SocksHandshakeOptions } from "./socks-handshake.js";

/**
 * Talks to a SOCKS4 or SOCKS4a client until it has said where it wants to go.
 *
 * States: request. Where there are users it is refused whatever it says: SOCKS4 carries no password.
 *
 * | state   | wrong                                         | answer |
 * |---------|-----------------------------------------------|--------|
 * | request | users are set; command; user id or name       | 00 5B  |
 *
 * @throws SocksRefusal after that answer; ReadError if the client left or was too slow.
 */
export async function acceptSocks4(
  client: Socket,
  { inbound, users, timeoutMs, lingerMs }: SocksHandshakeOptions,
): Promise<ProxyRequest> {
  if (users.areRequired) throw refuse(client, "SOCKS4 carries no password, which is required here", lingerMs);
  const request = await readParsed(client, parseSocks4Request, { timeoutMs });
  if (request.kind === "refused") throw refuse(client, request.reason, lingerMs);
  return {
    inbound,
    client,
    source: remoteEndpointOf(client),
    destination: request.destination,
    accept: (boundTo) => client.write(formatSocks4Reply(socks4Replies.granted, boundTo)),
    reject: () => {
      endWith(client, formatSocks4Reply(socks4Replies.rejected), lingerMs);
    },
  };
}

function refuse(client: Socket, reason: string, lingerMs: number | undefined): SocksRefusal {
  endWith(client, formatSocks4Reply(socks4Replies.rejected), lingerMs);
  return new SocksRefusal(reason);
}
