import fc from "fast-check";
import ipaddr from "ipaddr.js";
import type { RouteFacts } from "../../src/proxy/rules/rule-matcher.js";

/*
 * What rules are made of and asked about: each value as it is, for a model to judge, and as somebody might write it.
 */

/** A name: its labels in lower case, and one of its spellings. */
export interface SpelledName {
  readonly labels: readonly string[];
  readonly text: string;
}

/** The end of a name, and whether it is written with a dot before it. */
export interface SpelledSuffix extends SpelledName {
  readonly isDotted: boolean;
}

/** An address: its bytes, and one of its spellings. */
export interface SpelledAddress {
  readonly bytes: readonly number[];
  readonly text: string;
}

/** The first bits of addresses. */
export interface SpelledPrefix extends SpelledAddress {
  readonly length: number;
}

export interface SpelledRange {
  readonly first: number;
  readonly last: number;
  readonly text: string;
}

export type SpelledHost = { readonly name: SpelledName } | { readonly address: SpelledAddress };

/** Any of these may be missing. */
export interface SpelledRule {
  readonly inbounds?: readonly string[];
  readonly users?: readonly string[];
  readonly networks?: readonly RouteFacts["network"][];
  readonly domains?: readonly SpelledName[];
  readonly suffixes?: readonly SpelledSuffix[];
  readonly keywords?: readonly string[];
  readonly prefixes?: readonly SpelledPrefix[];
  readonly sources?: readonly SpelledPrefix[];
  readonly ports?: readonly number[];
  readonly ranges?: readonly SpelledRange[];
  readonly invert?: boolean;
}

export interface SpelledFacts {
  readonly inbound: string;
  readonly user?: string;
  readonly network: RouteFacts["network"];
  readonly source: SpelledAddress;
  readonly host: SpelledHost;
  readonly port: number;
}

/** Labels, so few that names meet, and how each is looked up. */
export const asciiLabels: Readonly<Record<string, string>> = {
  a: "a",
  b: "b",
  ab: "ab",
  "a-1": "a-1",
  _x: "_x",
  com: "com",
  bücher: "xn--bcher-kva",
  straße: "xn--strae-oqa",
  例え: "xn--r8jz45g",
};

const spelling = fc.array(fc.nat(4), { minLength: 1, maxLength: 12 });
const labels = fc.array(fc.constantFrom(...Object.keys(asciiLabels)), { minLength: 1, maxLength: 4 });

const name: fc.Arbitrary<SpelledName> = fc
  .record({ labels, spelling, endsWithDot: fc.boolean() })
  .map(({ labels: known, spelling: ways, endsWithDot }) => ({
    labels: known,
    text: spell(known, ways) + (endsWithDot ? "." : ""),
  }));

const suffix: fc.Arbitrary<SpelledSuffix> = fc
  .record({ name, isDotted: fc.boolean() })
  .map(({ name: { labels: known, text }, isDotted }) => ({
    labels: known,
    text: `${isDotted ? "." : ""}${text}`,
    isDotted,
  }));

const keyword = fc.oneof(
  fc.constantFrom("a", "b.a", ".", "-", "ü", "büch", "ß", "xn--", "例", "com.", "zz"),
  labels.map((known) => known.join(".")),
);

/** Writes a name; `ways` say for each character how. */
function spell(known: readonly string[], ways: readonly number[]): string {
  return Array.from(known.join("."), (character, index) =>
    spellCharacter(character, ways[index % ways.length]),
  ).join("");
}

function spellCharacter(character: string, way: number | undefined): string {
  if (character === ".") return way === 1 ? "。" : way === 2 ? "．" : way === 3 ? "｡" : ".";
  if (way === 1 && character !== "ß") return character.toUpperCase();
  if (way === 2 && character < "\u0080") return String.fromCharCode(character.charCodeAt(0) + 0xfee0);
  if (way === 3) return `\u00ad${character}`;
  return way === 4 ? character.normalize("NFD") : character;
}

/** Bytes of addresses, so few that they meet under short prefixes. */
const byte = fc.oneof(fc.constantFrom(0, 1, 10, 127, 128, 255), fc.nat(255));
const v4Bytes = fc.array(byte, { minLength: 4, maxLength: 4 });
const v6Bytes = fc.array(byte, { minLength: 15, maxLength: 15 }).map((rest) => [0x20, ...rest]);

const address: fc.Arbitrary<SpelledAddress> = fc
  .record({ bytes: fc.oneof(v4Bytes, v6Bytes), way: fc.nat(6) })
  .map(({ bytes, way }) => ({ bytes, text: bytes.length === 4 ? spellV4(bytes, way) : spellV6(bytes, way) }));

/** Sources come from the system, prefixes from a config: neither is written as freely as a destination. */
const plainAddress: fc.Arbitrary<SpelledAddress> = fc
  .record({ bytes: fc.oneof(v4Bytes, v6Bytes), way: fc.nat(2) })
  .map(({ bytes, way }) => ({ bytes, text: bytes.length === 4 ? spellV4(bytes, way) : spellV6(bytes, way) }));

const prefix: fc.Arbitrary<SpelledPrefix> = fc
  .record({ address: plainAddress, length: fc.nat(128), isWhole: fc.boolean() })
  .map(({ address: { bytes, text }, length: wanted, isWhole }) => {
    const bits = bytes.length * 8;
    const length = isWhole ? bits : wanted % (bits + 1);
    const written = text.length > 0 && bits === 32 && text.includes(":") ? length + 96 : length;
    return { bytes, length, text: isWhole ? text : `${text}/${written}` };
  });

function spellV4(bytes: readonly number[], way: number): string {
  const dotted = bytes.join(".");
  const value = bytes.reduce((sum, part) => sum * 256 + part, 0);
  const spellings = [
    dotted,
    `::ffff:${dotted}`,
    new ipaddr.IPv4([...bytes]).toIPv4MappedAddress().toString(),
    String(value),
    `0x${value.toString(16)}`,
    dotted.replaceAll(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)),
    bytes.map((part) => `0${part.toString(8)}`).join("."),
  ];
  return spellings[way] ?? dotted;
}

function spellV6(bytes: readonly number[], way: number): string {
  const parsed = new ipaddr.IPv6([...bytes]);
  const short = parsed.toString();
  const full = parsed.parts.map((group) => group.toString(16).padStart(4, "0")).join(":");
  const spellings = [
    short,
    parsed.toNormalizedString().toUpperCase(),
    full,
    `${short}%eth0`,
    short.replaceAll(":", "："),
  ];
  return spellings[way] ?? short;
}

const port = fc.oneof(fc.constantFrom(0, 80, 443, 65_535), fc.nat(65_535));
const range: fc.Arbitrary<SpelledRange> = fc
  .record({ ends: fc.tuple(port, port), isOpen: fc.boolean() })
  .map(({ ends, isOpen }) => {
    const [first, last] = [Math.min(...ends), Math.max(...ends)];
    const from = isOpen && first === 0 && last < 65_535 ? "" : String(first);
    const to = isOpen && last === 65_535 ? "" : String(last);
    return { first, last, text: `${from}:${to}` };
  });

function some<Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<readonly Value[]> {
  return fc.array(value, { minLength: 1, maxLength: 4 });
}

const inbound = fc.constantFrom("in", "out");
const user = fc.constantFrom("alice", "bob");
const network = fc.constantFrom<RouteFacts["network"][]>("tcp", "udp");

const conditions = {
  inbounds: some(inbound),
  users: some(user),
  networks: some(network),
  domains: some(name),
  suffixes: some(suffix),
  keywords: some(keyword),
  prefixes: some(prefix),
  sources: some(prefix),
  ports: some(port),
  ranges: some(range),
  invert: fc.boolean(),
};

/** Of few conditions: one of many is hardly ever met. */
export const spelledRule: fc.Arbitrary<SpelledRule> = fc
  .subarray(keysOf(conditions), { maxLength: 4 })
  .chain((keys) => fc.record<SpelledRule>(Object.fromEntries(keys.map((key) => [key, conditions[key]]))));

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): Key[] {
  return Object.keys(record) as Key[];
}

const host: fc.Arbitrary<SpelledHost> = fc.oneof(fc.record({ name }), fc.record({ address }));

export const spelledFacts: fc.Arbitrary<SpelledFacts> = fc.record(
  { inbound, user, network, source: plainAddress, host, port },
  { requiredKeys: ["inbound", "network", "source", "host", "port"] },
);

/** Names, and patterns of names alone. */
export const nameRule: fc.Arbitrary<SpelledRule> = fc.record(
  { domains: some(name), suffixes: some(suffix), keywords: some(keyword) },
  { requiredKeys: ["suffixes"] },
);
export const spelledName = name;

/** Prefixes, and an address that differs from one of them in at most one bit. */
export const addressRule: fc.Arbitrary<{
  readonly prefixes: readonly SpelledPrefix[];
  readonly address: SpelledAddress;
}> = fc
  .record({ prefixes: some(prefix), bit: fc.nat(128), way: fc.nat(6), which: fc.nat(3), other: address })
  .map(({ prefixes, bit, way, which, other }) => {
    const bytes = [...(prefixes[which]?.bytes ?? other.bytes)];
    const at = Math.floor(bit / 8);
    const changed = bytes[at];
    // The first byte of IPv6 stays: with a 0 there, it might be an address that stands for one of IPv4.
    if (changed !== undefined && (bytes.length === 4 || at > 0)) bytes[at] = changed ^ (0x80 >> (bit % 8));
    return {
      prefixes,
      address: { bytes, text: bytes.length === 4 ? spellV4(bytes, way) : spellV6(bytes, way) },
    };
  });
