import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { rootPath } from "../helpers/cli.js";
import { anywhere, oneOf } from "./byte-text.js";

/** Stands in {@link configTexts} for the JSON string of a password. */
export const passwordMark = '"PASSWORD"';

const full = {
  $schema: "config.schema.json",
  log: { disabled: false, level: "warn", output: "stdout", timestamp: false },
  inbounds: [
    {
      type: "mixed",
      tag: "mixed-in",
      listen: "::1",
      listen_port: 1080,
      users: [
        { username: "alice", password: "PASSWORD" },
        { username: "bob", password: "bob" },
      ],
    },
    { type: "socks", listen_port: 0, users: { password: "PASSWORD", username: "carol" } },
    { type: "http", tag: "http-in", listen: "0.0.0.0", listen_port: 8080, insecure: true },
  ],
  outbounds: [{ type: "direct", tag: "out" }, { type: "block" }],
  route: {
    rules: [
      { inbound: ["mixed-in", "1"], auth_user: "alice", outbound: "1" },
      { auth_user: ["bob", "carol"], action: "route", outbound: "out" },
      { domain: ["a.test", "bücher.de"], domain_suffix: ".b.test", domain_keyword: "c", outbound: "1" },
      {
        ip_cidr: ["10.0.0.0/8", "::1"],
        ip_is_private: true,
        port: 80,
        port_range: [":9", "1:2"],
        action: "reject",
      },
      { source_ip_cidr: "::/0", network: ["tcp", "udp"], invert: true, outbound: "out" },
    ],
    final: "out",
  },
  experimental: {
    v2ray_api: {
      listen: "[::1]:10085",
      access_control_allow_origin: ["https://panel.example", "http://localhost:3000"],
      stats: { enabled: true, inbounds: "mixed-in", outbounds: ["out", "1"], users: ["alice", "carol"] },
    },
  },
};

const commented = `{ // a comment: "password": "no"
\t"inbounds": { "type": "socks", "listen_port": 1, /* "secret" */ "users": [
\t\t{ "username": "alice", "password": "PASSWORD", }, // "PASSWORD" no more
\t] },
}
`;

/** Configs that are right, with {@link passwordMark} for each password: as an example, in one line, in many ways. */
export const configTexts: readonly string[] = [
  readFileSync(join(rootPath, "examples", "config.json"), "utf8").replaceAll(
    /"password": "\w+"/g,
    '"password": "PASSWORD"',
  ),
  JSON.stringify(full),
  JSON.stringify(full, undefined, 2),
  JSON.stringify(full, undefined, "\t").replaceAll("\n", "\r\n"),
  commented.replaceAll('"PASSWORD" no more', "no more"),
  "\uFEFF{}",
];

/** One change of a config, as a slip of the hand makes it. */
interface Slip {
  readonly kind: "delete" | "insert" | "replace" | "double line" | "drop line" | "cut";
  /** Where, in ten-thousandths of the text. */
  readonly at: number;
  readonly character: string;
}

const slip: fc.Arbitrary<Slip> = fc.record({
  kind: fc.constantFrom("delete", "insert", "replace", "double line", "drop line", "cut"),
  at: anywhere,
  character: fc.oneof(
    oneOf('"\\/*{}[]:,.-#\u00a0\uFEFF\n\r\t 0a\u2028\ud83d\0'),
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
  ),
});

/** Texts with `min` to `max` slips. */
export function withSlips(
  texts: fc.Arbitrary<string>,
  { min, max }: { readonly min: number; readonly max: number },
): fc.Arbitrary<string> {
  return fc
    .tuple(texts, fc.array(slip, { minLength: min, maxLength: max }))
    .map(([text, slips]) => slips.reduce(applySlip, text));
}

function applySlip(text: string, { kind, at, character }: Slip): string {
  const offset = Math.floor((at / 10_000) * text.length);
  const [before, behind] = [text.slice(0, offset), text.slice(offset)];
  const lineStart = before.lastIndexOf("\n") + 1;
  const lineLength = text.slice(lineStart).search(/\n|$/) + 1;
  switch (kind) {
    case "delete":
      return `${before}${behind.slice(1)}`;
    case "insert":
      return `${before}${character}${behind}`;
    case "replace":
      return `${before}${character}${behind.slice(1)}`;
    case "double line":
      return text.slice(0, lineStart + lineLength) + text.slice(lineStart);
    case "drop line":
      return text.slice(0, lineStart) + text.slice(lineStart + lineLength);
    case "cut":
      return before;
  }
}
