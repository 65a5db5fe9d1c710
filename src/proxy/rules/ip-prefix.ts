import { isIP } from "node:net";

/**
 * An IP address as a number.
 *
 * An IPv6 address that stands for one of IPv4 (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2) is that one: whoever connects to the
 * one reaches the other. Where the address has a zone (`fe80::1%eth0`), that is left out.
 */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** The addresses that begin with the same bits. */
export interface IpPrefix {
  readonly family: 4 | 6;
  /** How many bits those are. */
  readonly length: number;
  /** Those bits, as a number. */
  readonly bits: bigint;
}

/** How many bits an address has. */
export const addressBits = { 4: 32, 6: 128 } as const;

/** Reads an address in any spelling that Node connects to without a look-up; `undefined` for anything else. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const address = parseAsWritten(text);
  return address === undefined || !isMapped(address) ? address : unmapped(address);
}

/**
 * Reads a prefix in CIDR notation, `10.0.0.0/8`, or an address, which is a prefix of its full length; `undefined` for
 * anything else. Bits behind the prefix may be set and do not count.
 */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const match = /^(?<address>[^%/]+)(?:\/(?<length>0|[1-9]\d{0,2}))?$/.exec(text);
  const { address: addressText = "", length: digits } = match?.groups ?? {};
  const address = parseAsWritten(addressText);
  if (address === undefined) return undefined;
  const length = digits === undefined ? addressBits[address.family] : Number(digits);
  if (length > addressBits[address.family]) return undefined;
  // A shorter one holds more than addresses that stand for IPv4.
  const isMappedPrefix = isMapped(address) && length >= mappedLength;
  return isMappedPrefix ? toPrefix(unmapped(address), length - mappedLength) : toPrefix(address, length);
}

/** What all IPv6 addresses that stand for one of IPv4 begin with: `::ffff:0:0/96`. */
const mappedLength = 96;
const mappedBits = 0xffffn;

function isMapped({ family, value }: IpAddress): boolean {
  return family === 6 && value >> BigInt(addressBits[6] - mappedLength) === mappedBits;
}

function unmapped({ value }: IpAddress): IpAddress {
  return { family: 4, value: BigInt.asUintN(addressBits[4], value) };
}

function toPrefix({ family, value }: IpAddress, length: number): IpPrefix {
  return { family, length, bits: value >> BigInt(addressBits[family] - length) };
}

function parseAsWritten(text: string): IpAddress | undefined {
  switch (isIP(text)) {
    case 4:
      return { family: 4, value: BigInt(v4Number(text)) };
    case 6:
      return { family: 6, value: v6Number(text.replace(/%.*$/s, "")) };
    default:
      return undefined;
  }
}

function v4Number(text: string): number {
  return text.split(".").reduce((value, byte) => value * 0x100 + Number(byte), 0);
}

/** Not by `ipaddr.js`, which takes `::10.0.0.1` for the IPv4 address: the system does not. */
function v6Number(text: string): bigint {
  const [head = [], tail = []] = text.split("::").map(v6Groups);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  return [...head, ...zeros, ...tail].reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

function v6Groups(part: string): readonly number[] {
  const groups = part.split(":").filter((group) => group !== "");
  return groups.flatMap((group) => {
    if (!group.includes(".")) return Number.parseInt(group, 16);
    const last = v4Number(group);
    return [Math.floor(last / 0x1_0000), last % 0x1_0000];
  });
}
