import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { describe, it, type TestContext } from "node:test";
import { connectUser, count, startApi, userUplink, type TestApi } from "../helpers/api-server.js";
import { runCommand } from "../helpers/run-command.js";
import { closedPort } from "../helpers/sockets.js";
import { createTempDir, type TempDir } from "../helpers/temp-dir.js";
import { certificates, leafKey, testAuthority } from "../helpers/tls-authority.js";
import { startTlsFront } from "../helpers/tls-front.js";
import { startUnixFront } from "../helpers/unix-front.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 20_000 };
const alice = userUplink("alice");
const secret = "s3cret-of-grafana";

interface Running {
  readonly api: TestApi;
  /** Has `ca.pem`, `cert.pem`, `key.pem` and `secret`. */
  readonly folder: TempDir;
  /** Of the server that wants our certificate. */
  readonly tlsServer: string;
  readonly unixServer: string;
}

/** A server that asks for a secret: behind TLS that asks for a certificate, too, and behind a Unix socket. */
async function start(t: TestContext): Promise<Running> {
  const folder = createTempDir(t);
  folder.write("ca.pem", testAuthority);
  folder.write("cert.pem", certificates.client);
  folder.write("key.pem", leafKey);
  folder.write("secret", `${secret}\n`);
  const api = await startApi(t, { secrets: [{ name: "grafana", secret }] });
  count(api.store, alice, 5);
  const connection = connectUser(api, "alice", "192.0.2.1");
  t.after(() => {
    connection[Symbol.dispose]();
  });
  const target = { host: "127.0.0.1", port: api.port };
  const { endpoint } = await startTlsFront(t, target, {
    ...{ cert: certificates.server, key: leafKey, ALPNProtocols: ["h2"] },
    ...{ requestCert: true, rejectUnauthorized: true, ca: testAuthority },
  });
  const path = await startUnixFront(t, target);
  return { api, folder, tlsServer: `127.0.0.1:${endpoint.port}`, unixServer: `unix:${path}` };
}

/** Writes options as the command takes them, behind its name. */
function withOptions(args: readonly string[], options: Readonly<Record<string, string>>): readonly string[] {
  const isGo = args[0] === "api";
  const given = Object.entries(options).map(([name, value]) => `${isGo ? "-" : "--"}${name}=${value}`);
  const words = isGo ? 2 : 1;
  return [...args.slice(0, words), ...given, ...args.slice(words)];
}

function filesOf({ folder }: Running): Readonly<Record<string, string>> {
  return {
    ...{ ca: folder.join("ca.pem"), cert: folder.join("cert.pem"), key: folder.join("key.pem") },
    "secret-file": folder.join("secret"),
  };
}

const commands: readonly (readonly string[])[] = [
  ["stats"],
  ["get", alice],
  ["sys"],
  ["online"],
  ["top", "-n", "1", "-i", "0.001"],
  ["api", "stats"],
  ["api", "statsquery"],
  ["api", "statssys"],
  ["api", "statsonline", "-email", "alice"],
  ["api", "statsonlineiplist", "-email", "alice"],
  ["api", "statsgetallonlineusers"],
];

describe("the commands that read a server", io, () => {
  failOnUnhandled();

  for (const args of commands) {
    it(`read it over TLS and a Unix socket after ${args.join(" ")}`, async (t) => {
      const running = await start(t);
      const files = filesOf(running);
      for (const options of [
        { server: running.tlsServer, ...files },
        { server: running.tlsServer, ...files, "server-name": "api.example" },
        { server: running.unixServer, "secret-file": files["secret-file"] ?? "" },
      ]) {
        const { code, stdout, stderr } = await runCommand(...withOptions(args, options));
        assert.deepEqual([code, stderr], [0, ""]);
        assert.notEqual(stdout, "");
      }
    });
  }

  it("say in one line what is wrong with a file of theirs, call nobody, and show nothing of it", async (t) => {
    const running = await start(t);
    const { folder } = running;
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const other = folder.write("other.pem", String(privateKey.export({ type: "pkcs8", format: "pem" })));
    const text = folder.write("text.pem", "s3cr3t words");
    const empty = folder.write("empty", "\n");
    const none = folder.join("none");
    const quoted = (path: string): string => JSON.stringify(path);
    const files = filesOf(running);
    const table: readonly (readonly [options: Readonly<Record<string, string>>, message: string])[] = [
      [
        { ca: none },
        `cannot read certificates from ${quoted(none)}: ENOENT: no such file or directory, open '${none}'`,
      ],
      [{ ca: text }, `cannot read certificates from ${quoted(text)}: it has no certificate in PEM`],
      [
        { cert: none },
        `cannot read certificates from ${quoted(none)}: ENOENT: no such file or directory, open '${none}'`,
      ],
      [
        { key: none },
        `cannot read a key from ${quoted(none)}: ENOENT: no such file or directory, open '${none}'`,
      ],
      [{ key: text }, `${quoted(text)}: the key is none in PEM`],
      [{ key: other }, `${quoted(other)}: the key does not match the certificate`],
      [
        { "secret-file": none },
        `cannot read a secret from ${quoted(none)}: ENOENT: no such file or directory, open '${none}'`,
      ],
      [{ "secret-file": text }, `${quoted(text)}: secret: expected visible ASCII characters without a blank`],
      [{ "secret-file": empty }, `${quoted(empty)}: secret: the file is empty`],
    ];
    for (const [options, message] of table) {
      const args = withOptions(["stats"], {
        server: `127.0.0.1:${await closedPort()}`,
        ...files,
        ...options,
      });
      assert.deepEqual(await runCommand(...args), { code: 1, stdout: "", stderr: `v2ray-api: ${message}\n` });
    }
  });

  it("say in one line why TLS with the server failed", async (t) => {
    const { tlsServer, folder, api } = await start(t);
    const ca = folder.join("ca.pem");
    for (const [server, options, message] of [
      [tlsServer, ["--tls"], "its certificate is not trusted: it is of an authority that is not trusted"],
      [tlsServer, ["--ca", ca], "it wants a client certificate"],
      [
        tlsServer,
        ["--ca", ca, "--server-name", "b.example"],
        "its certificate is not trusted: it is not for b.example",
      ],
      [
        `127.0.0.1:${api.port}`,
        ["--ca", ca],
        "it closed the connection in the TLS handshake, as one does that does not speak TLS",
      ],
    ] as const) {
      const { code, stdout, stderr } = await runCommand("stats", "-s", server, ...options);
      assert.deepEqual([code, stdout, stderr], [1, "", `v2ray-api: ${server}: ${message}\n`]);
    }
  });

  it("say in one line why there is no Unix socket to call", async (t) => {
    const folder = createTempDir(t);
    const file = folder.write("file", "");
    mkdirSync(folder.join("folder"));
    for (const [path, message] of [
      [folder.join("none.sock"), "there is no such socket"],
      [`${file}/a.sock`, "there is no such socket"],
      [file, "it is no socket"],
      [folder.join("folder"), "it is no socket"],
    ] as const) {
      const { code, stdout, stderr } = await runCommand("stats", "-s", `unix:${path}`);
      assert.deepEqual([code, stdout, stderr], [1, "", `v2ray-api: unix:${path}: ${message}\n`]);
    }
    const long = `unix:/${"x".repeat(200)}`;
    const { code, stderr } = await runCommand("stats", "-s", long);
    assert.equal(code, 1);
    assert.match(stderr, /^v2ray-api: unix:\/x{200}: \S.*\n$/);
  });

  it("say in one line that they may not call a Unix socket, unless they are root", async (t) => {
    const { unixServer } = await start(t);
    chmodSync(unixServer.slice("unix:".length), 0);
    const { code, stderr } = await runCommand("stats", "-s", unixServer);
    const reason =
      process.geteuid?.() === 0
        ? /: a secret is needed: .*\n$/
        : /: the system does not permit the connection\n$/;
    assert.equal(code, 1);
    assert.match(stderr, reason);
  });
});
