import type { Endpoint } from "../../net/endpoint.js";
import { formatSocksAddress, parseSocksAddress } from "./socks5-address.js";

/*
 * The packets of a UDP association (RFC 1928 §7); one cell is one byte unless it says otherwise.
 *
 *   packet   00 00  FRAG  ATYP  ADDR  PORT[2]  DATA[…]
 *
 *   From the client, ADDR and PORT say where DATA is to go; to the client, where it comes from.
 *   FRAG 00: the packet is whole. Anything else is a fragment.
 */

/** A packet of an association, or why it is none that can be passed on. */
export type ParsedSocksPacket =
  | {
      readonly kind: "packet";
      readonly endpoint: Endpoint;
      /** A part of the datagram, not a copy. */
      readonly payload: Buffer;
    }
  | { readonly kind: "bad"; readonly reason: string };

/** Takes a datagram apart. */
export function parseSocksPacket(datagram: Buffer): ParsedSocksPacket {
  const [reservedHigh, reservedLow, fragment] = datagram;
  if (reservedHigh !== 0 || reservedLow !== 0 || fragment === undefined) return bad("it is no SOCKS packet");
  if (fragment !== 0) return bad(`it is a fragment (FRAG ${fragment}), which are not put together here`);
  const address = parseSocksAddress(datagram);
  switch (address.kind) {
    case "more":
      return bad("it ends within its address");
    case "unknown type":
      return bad(`its address type ${address.type} is unknown`);
    case "no host":
      return bad("its address is no host name or address");
    case "done":
      if (address.endpoint.port === 0) return bad("its port is 0");
      return { kind: "packet", endpoint: address.endpoint, payload: datagram.subarray(address.end) };
  }
}

const noBytes = Buffer.alloc(0);

/**
 * Takes the datagrams of one sender apart. Most are for where the one before was for: of those only the header is compared.
 */
export class SocksPacketParser {
  /** The last one that was read. */
  #header = noBytes;
  #endpoint: Endpoint = { host: "", port: 0 };

  /** As {@link parseSocksPacket}. */
  parse(datagram: Buffer): ParsedSocksPacket {
    const header = this.#header;
    if (header.length > 0 && startsWith(datagram, header)) {
      return { kind: "packet", endpoint: this.#endpoint, payload: datagram.subarray(header.length) };
    }
    const parsed = parseSocksPacket(datagram);
    if (parsed.kind === "packet") {
      // A copy: a part would keep the whole datagram.
      this.#header = Buffer.from(datagram.subarray(0, datagram.length - parsed.payload.length));
      this.#endpoint = parsed.endpoint;
    }
    return parsed;
  }
}

/**
 * Writes what stands before the payload.
 *
 * @throws RangeError for a name of more than 255 bytes.
 */
export function formatSocksPacketHeader(endpoint: Endpoint): Buffer {
  return Buffer.concat([Buffer.of(0, 0, 0), formatSocksAddress(endpoint)]);
}

/** A loop: for so few bytes a call into Node costs more. */
function startsWith(bytes: Buffer, start: Buffer): boolean {
  if (bytes.length < start.length) return false;
  for (let index = 0; index < start.length; index++) {
    if (bytes[index] !== start[index]) return false;
  }
  return true;
}

function bad(reason: string): ParsedSocksPacket {
  return { kind: "bad", reason };
}
