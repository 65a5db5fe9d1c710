import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatConfigReport } from "../../src/cli/config-report.js";
import { parseConfig } from "../../src/config/parse-config.js";
import { toConfig } from "../../src/config/to-config.js";
import { configErrorOf } from "./issues.js";

/** Occurs in no message and no key, and neither does a part of it. */
const secret = "zqxjkvbw";
const number = "90417263";

/** A config whose only inbound has these users. */
const withUsers = (users: string) =>
  `{"inbounds": [{"type": "mixed", "listen_port": 0,\n"users": [${users}]}], "x": 1}`;
const withUser = (keys: string) => withUsers(`{"username": "alice", ${keys}}`);
const withApi = (keys: string) => `{"experimental": {"v2ray_api": {${keys}}}}`;

/** A config whose only outbound leaves through a proxy, with these keys besides. */
const withProxy = (type: string, keys: string) =>
  `{"outbounds": {"type": "${type}", "server": "a", "server_port": 1,\n${keys}}, "x": 1}`;

const json: readonly (readonly [what: string, text: string])[] = [
  ["a password that is right", withUser(`"password": "${secret}"`)],
  ["a password beside a name that is wrong", withUsers(`{"username": "", "password": "${secret}"}`)],
  ["a password on a line of its own", withUser(`"y": 1,\n"password": "${secret}"`)],
  ["a number for a password", withUser(`"password": ${number}`)],
  ["a negative number for a password", withUser(`"password": -${number}`)],
  ["a list for a password", withUser(`"password": ["${secret}"]`)],
  ["an object for a password", withUser(`"password": {"value": "${secret}"}`)],
  ["a password that is too long", withUser(`"password": "${secret.repeat(100)}"`)],
  ["a password that is given twice", withUser(`"password": "${secret}", "password": "${secret}"`)],
  ["a password with an escape", withUser(`"password": "\\u0007${secret}", "y": 1`)],
  ["name and password in one string", withUsers(`"alice:${secret}"`)],
  ["name and password in one string, the only user", `{"inbounds": {"users": "alice:${secret}"}}`],
  ["name and password in a list", withUsers(`["alice", "${secret}"]`)],
  ["a number in place of a user", withUsers(number)],
  ["a key with password in its name", withUser(`"new_password": "${secret}"`)],
  ["a key with SECRET in its name", withUser(`"password": "a", "CLIENT_SECRET": "${secret}"`)],
  ["a key with Password in a section", `{"log": {"Password": "${secret}", "level": 5}}`],
  ["a secret beside the sections", `{"secret": "${secret}", "log": 5}`],
  ["secrets in a list", `{"my-secrets": ["a", "${secret}"], "log": 5}`],
  ["a secret deep below its key", `{"secrets": {"a": [{"b": "${secret}"}]}, "log": 5}`],
  ["a key with an escape", `{"pass\\u0077ord": "${secret}"}`],
  ["pass for password, as in Xray", withUsers(`{"user": "alice", "pass": "${secret}"}`)],
  ["pass beside password", withUser(`"password": "a", "pass": "${secret}"`)],
  ["passwords by name", withUsers(`{"alice": "${secret}"}`)],
  ["passwords by name, in one object", `{"inbounds": {"users": {"alice": "${secret}"}}}`],
  ["an outbound's password that is right", withProxy("socks", `"username": "a", "password": "${secret}"`)],
  ["an outbound's password without a name", withProxy("http", `"password": "${secret}"`)],
  ["an outbound's password that is too long", withProxy("socks", `"password": "${secret.repeat(100)}"`)],
  ["an outbound's password with a control", withProxy("http", `"password": "\\u0007${secret}"`)],
  ["a number for an outbound's password", withProxy("http", `"username": "a", "password": ${number}`)],
  ["name and password as an outbound's name", withProxy("http", `"username": "alice:${secret}"`)],
  ["name and password as a name of SOCKS", withProxy("socks", `"username": ["alice", "${secret}"]`)],
  ["user info of a proxy's URL", `{"outbounds": {"type": "http", "server": "http://a:${secret}@b"}}`],
  ["user info of a proxy's host", `{"outbounds": {"type": "socks", "server": "a:${secret}@b:1"}}`],
  ["a password of a proxy, as in Xray", withProxy("socks", `"users": [{"user": "a", "pass": "${secret}"}]`)],
  ["a password in a proxy's TLS", withProxy("http", `"tls": {"password": "${secret}"}`)],
  ["user info of a URL", withApi(`"listen": "http://admin:${secret}@127.0.0.1:80"`)],
  ["a secret of the API that is right", withApi(`"secret": "${secret}", "x": 1`)],
  ["a secret of the API with a blank", withApi(`"secret": "${secret} ${secret}"`)],
  ["a number for a secret of the API", withApi(`"secret": ${number}`)],
  ["a secret of the API that is too long", withApi(`"secret": "${secret.repeat(200)}"`)],
  ["a secret of the API in place of an object", withApi(`"secrets": ["${secret}"]`)],
  ["a secret for the right to reset", withApi(`"secrets": {"name": "a", "reset": "${secret}"}`)],
  [
    "a secret of the API that is there twice",
    withApi(`"secret": "${secret}", "secrets": {"name": "a", "secret": "${secret}"}`),
  ],
  [
    "a secret of the API for its name, twice",
    withApi(`"secrets": [{"name": "${secret}"}, {"name": "${secret}"}]`),
  ],
  ["user info of an origin", withApi(`"access_control_allow_origin": ["https://a:${secret}@b.example"]`)],
  ["user info without a name", withApi(`"access_control_allow_origin": "https://${secret}@b.example"`)],
  ["user info of a URL in a tag", `{"outbounds": {"type": "direct", "tag": "socks5://a:${secret}@b>"}}`],
  ["user info of an unknown type", `{"outbounds": {"type": "socks5://a:${secret}@b"}}`],
  ["user info of a URL that is to be ignored", `{"$schema": "https://a:${secret}@b", "x": 1}`],
  ["user info behind escaped slashes", withApi(`"listen": "http:\\/\\/admin:${secret}@127.0.0.1:80"`)],
  ["user info with an escaped @", withApi(`"listen": "http://admin:${secret}\\u0040127.0.0.1:80"`)],
  ["a line comment", `{"log": 5} // the password is ${secret}`],
  ["a comment on a line of its own", `{"log": {\n// password ${secret}\n"level": 5}}`],
  ["a block comment", `{"log": 5 /* ${secret} */}`],
  ["a block comment over several lines", `{/* the password\nis ${secret} */ "log": 5}`],
  ["what was there before", withUser(`// "password": "${secret}"\n"y": 1`)],
];

const noJson: readonly (readonly [what: string, text: string])[] = [
  ["a password without quotes", withUser(`"password": ${secret}`)],
  ["a password in other quotes", withUser(`"password": '${secret}'`)],
  ["a password in backticks", withUser(`"password": \`${secret}\``)],
  ["a password in typographic quotes", withUser(`"password": “${secret}”`)],
  ["a password without its first quote", withUser(`"password": ${secret}"`)],
  ["a password without its last quote", withUser(`"password": "${secret}`)],
  ["a key without its first quote", withUser(`password": "${secret}"`)],
  ["a key without its last quote", withUser(`"password: "${secret}"`)],
  ["a key without quotes", withUser(`password: "${secret}"`)],
  ["nothing with quotes", withUsers(`{username: alice, password: ${secret}}`)],
  ["a missing colon", withUser(`"password" "${secret}"`)],
  ["a comma in place of the colon", withUser(`"password", "${secret}"`)],
  ["an equals sign in place of the colon", withUser(`"password" = "${secret}"`)],
  ["an equals sign and no quotes", withUser(`password=${secret}`)],
  ["a missing comma before it", withUsers(`{"username": "alice" "password": "${secret}"}`)],
  ["a missing comma behind it", withUser(`"password": "${secret}" "y": 1`)],
  ["a missing comma in the line before", withUsers(`{"username": "alice"\n"password": "${secret}"}`)],
  ["two commas", withUser(`"password": "${secret}",, "y": 1`)],
  ["a quote in the password", withUser(`"password": "a"${secret}"`)],
  ["a quote in the password, at its end", withUser(`"password": "${secret}"a"`)],
  ["two quotes in the password", withUser(`"password": "a"${secret}"b"`)],
  ["a comma and a quote in the password", withUser(`"password": "a,"${secret}"`)],
  ["a wrong escape in the password", withUser(`"password": "\\x${secret}"`)],
  ["half an escape in the password", withUser(`"password": "\\u12${secret}"`)],
  ["a line break in the password", withUser(`"password": "a\n${secret}"`)],
  ["a tab in the password", withUser(`"password": "a\t${secret}"`)],
  ["a slash before the password", withUser(`"password": /${secret}`)],
  ["a digit before the password", withUser(`"password": 1${secret}`)],
  ["a minus before the password", withUser(`"password": -${secret}`)],
  ["true before the password", withUser(`"password": true${secret}`)],
  ["a colon in the password", withUser(`"password": alice:${secret}`)],
  ["a bracket before the password", withUser(`"password": [${secret}`)],
  ["a brace before the password", withUser(`"password": {${secret}`)],
  ["a no-break space before the password", withUser(`"password":\u00a0${secret}`)],
  ["a no-break space before a line that is right", withUser(`\u00a0"password": "${secret}"`)],
  ["a form feed before the password", withUser(`"password": \f${secret}`)],
  ["a second byte order mark before the password", withUser(`"password": \uFEFF${secret}`)],
  ["a number that is incomplete", withUser(`"password": ${number}.`)],
  ["a number with a letter", withUser(`"password": ${number}e`)],
  ["name and password without quotes", withUsers(`alice:${secret}`)],
  ["name and password with half the quotes", withUsers(`"alice:${secret}`)],
  ["name and password as key and value", withUsers(`"alice": "${secret}"`)],
  ["a value below the password", withUser(`"password": {"value": ${secret}}`)],
  ["a URL without quotes", withApi(`"listen": http://admin:${secret}@127.0.0.1:80`)],
  ["a URL with half the quotes", withApi(`"listen": "http://admin:${secret}@127.0.0.1:80`)],
  ["a comment that is not closed", `{"log": {}} /* ${secret}`],
  ["a comment that begins with #", `{"log": {}} # ${secret}`],
  ["a comment on a line that is wrong", `{"log": loud} // ${secret}`],
  ["a comment before what is wrong", `{/* ${secret}\n${secret} */"log": loud}`],
  ["no JSON at all", secret],
  ["more behind the config", `{} ${secret}`],
  ["a string behind the config", `{} "${secret}"`],
  ["environment variables", `PASSWORD=${secret}`],
  ["an end in the middle", withUser("").slice(0, -20) + `"password": "${secret}"`],
  ["too many brackets", `{"password": "${secret}", "a": ${"[".repeat(120)}`],
];

/** Everything that anyone gets to see of a config that is refused. */
function toldOf(text: string): string {
  const error = configErrorOf(() => parseConfig(text));
  return [
    error.message,
    error.stack,
    formatConfigReport("c.json", error, { withExcerpts: true }),
    formatConfigReport("c.json", error, { withExcerpts: false }),
    ...error.issues.flatMap(({ path, message, excerpt }) => [path, message, excerpt?.text]),
  ].join("\n");
}

function assertHidden(told: string, word: string): void {
  const parts = Array.from({ length: word.length - 3 }, (_, index) => word.slice(index, index + 4));
  assert.deepEqual(
    parts.filter((part) => told.includes(part)),
    [],
    told,
  );
}

describe("what is told of a config with a secret", () => {
  for (const [kind, table] of [
    ["JSON", json],
    ["no JSON", noJson],
  ] as const) {
    for (const [what, text] of table) {
      it(`does not have it, nor a part of it (${kind}): ${what}`, () => {
        assert.match(text, new RegExp(`${secret}|${number}`));
        const told = toldOf(text);
        assertHidden(told, secret);
        assertHidden(told, number);
      });
    }
  }

  it("has what is no secret", () => {
    assert.match(toldOf(`{"log": {"level": "${secret}"}}`), new RegExp(`got "${secret}".*\n.*"${secret}"`));
    assert.match(toldOf(`{"${secret}": loud}`), new RegExp(`"${secret}": …`));
  });

  it("shows every line at fault, for all it hides", () => {
    for (const [, text] of [...json, ...noJson]) {
      const { issues } = configErrorOf(() => parseConfig(text));
      assert.ok(issues.every(({ excerpt, position }) => excerpt !== undefined && position !== undefined));
    }
  });

  const values: readonly (readonly [what: string, users: unknown])[] = [
    ["name and password in one string", [`alice:${secret}`]],
    ["a number for a password", [{ username: "alice", password: Number(number) }]],
    ["an object for a password", [{ username: "alice", password: { value: secret } }]],
    ["pass for password", [{ username: "alice", pass: secret }]],
  ];
  for (const [what, users] of values) {
    it(`does not have it where the config is an object: ${what}`, () => {
      const error = configErrorOf(() => toConfig({ inbounds: { type: "http", listen_port: 0, users } }));
      const told = error.message + formatConfigReport("c.json", error, { withExcerpts: true });
      assertHidden(told, secret);
      assertHidden(told, number);
    });
  }
});

describe("what is told of a config with control characters", () => {
  const allowed = new Set(["\n"]);
  // C0 but for the blanks of JSON, DEL, and C1, of which U+009B alone is what ESC [ is to some terminals.
  const controls = [
    "\u0000",
    "\u0007",
    "\b",
    "\v",
    "\f",
    "\u001b",
    "\u007f",
    "\u0080",
    "\u0085",
    "\u009b",
    "\u009f",
  ];
  const inJson = ["\u007f", "\u0080", "\u0085", "\u009b", "\u009f"];

  const places: readonly (readonly [
    what: string,
    text: (control: string) => string,
    controls: readonly string[],
  ])[] = [
    ["a value", (control) => `{"log": {"level": "a${control}b"}}`, inJson],
    ["an unknown key", (control) => `{"a${control}b": 5}`, inJson],
    ["a key above", (control) => `{"a${control}b": {"x": 1, "x": 2}}`, inJson],
    [
      "a tag to choose",
      (control) => `{"outbounds": {"type": "block", "tag": "${control}"}, "route": {"final": "x"}}`,
      inJson,
    ],
    [
      "a tag that is taken",
      (control) => `{"outbounds": [${`{"type": "block", "tag": "${control}"},`.repeat(2)}]}`,
      inJson,
    ],
    ["a neighbour", (control) => `{"$schema": "${control}", "x": 1}`, inJson],
    ["an escape in a value", (control) => `{"log": {"level": ${escaped(control)}}}`, controls],
    ["an escape in a key", (control) => `{${escaped(control)}: 5}`, controls],
    ["a string that is no JSON", (control) => `{"log": {"level": "a${control}b"`, controls],
    ["a word", (control) => `{"log": a${control}b}`, controls],
    ["between tokens", (control) => `{"log": ${control} 5}`, controls],
    ["a key of what is no JSON", (control) => `{"a${control}b": loud}`, controls],
    ["a line comment", (control) => `{"x": 5} // ${control}`, controls],
    ["a block comment", (control) => `{"x": 5 /* ${control} */}`, controls],
    ["behind the config", (control) => `{}${control}`, controls],
  ];
  for (const [what, toText, characters] of places) {
    it(`has none of them, in words, path or excerpt: ${what}`, () => {
      const seen = characters.filter((control) => {
        const told = Array.from(toldOf(toText(control)));
        return told.some((character) => /\p{Cc}/u.test(character) && !allowed.has(character));
      });
      assert.deepEqual(seen, []);
    });
  }

  it("has no tab or carriage return of the text", () => {
    assert.doesNotMatch(toldOf('{\t"x":\r\n\t1,\r"y":\t2 }\r\n'), /[\t\r]/);
  });
});

function escaped(control: string): string {
  return `"\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}"`;
}
