import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { startCli, testConfig, type Cli } from "../helpers/cli.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram, type ProgramResult } from "../helpers/program.js";
import { createTempDir, type TempDir } from "../helpers/temp-dir.js";
import {
  clientAuthority,
  clientFixture,
  otherTlsFixture,
  strangerFixture,
  tlsFixture,
} from "../helpers/tls.js";

interface Served {
  readonly folder: TempDir;
  readonly cli: Cli;
}

/** The command line, with an API under TLS whose certificate is in `cert.pem` and `key.pem`. */
async function serve(t: TestContext, tls: object = {}): Promise<Served> {
  const folder = createTempDir(t);
  writePair(folder, tlsFixture);
  const paths = { certificate_path: folder.join("cert.pem"), key_path: folder.join("key.pem") };
  const cli = await startCli(t, testConfig({ api: { tls: { enabled: true, ...paths, ...tls } } }));
  return { folder, cli };
}

function writePair(folder: TempDir, { cert, key }: typeof tlsFixture | typeof otherTlsFixture): void {
  folder.write("cert.pem", cert);
  folder.write("key.pem", key);
}

/** Connects, says nothing or something, and prints what there is to know. */
async function sClient({ folder, cli }: Served, args: readonly string[], input = ""): Promise<ProgramResult> {
  const trust = ["-CAfile", folder.write("trusted.pem", tlsFixture.cert), "-verify_return_error"];
  const to = ["-connect", cli.api, "-servername", "localhost"];
  return runProgram("openssl", ["s_client", ...to, ...trust, ...args], { input: Buffer.from(input) });
}

/** Has the client itself offer what OpenSSL thinks too old. */
const weak = ["-cipher", "DEFAULT:@SECLEVEL=0"];

describe("openssl s_client at the API", { timeout: 60_000, ...needs("openssl") }, () => {
  it("is refused TLS 1.1, and served TLS 1.2 and 1.3", async (t) => {
    const served = await serve(t);
    for (const version of ["-tls1", "-tls1_1"]) {
      const { code, stderr } = await sClient(served, [version, ...weak]);
      assert.notEqual(code, 0);
      assert.match(stderr, /alert protocol version/);
    }
    for (const [version, name] of [
      ["-tls1_2", "TLSv1.2"],
      ["-tls1_3", "TLSv1.3"],
    ] as const) {
      const { code, stdout } = await sClient(served, [version]);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^New, ${name}, `, "m"));
      assert.match(stdout, /Verify return code: 0 \(ok\)/);
    }
  });

  it("is refused TLS 1.2 where 1.3 is the least", async (t) => {
    const served = await serve(t, { min_version: "1.3" });
    assert.match((await sClient(served, ["-tls1_2"])).stderr, /alert protocol version/);
    assert.equal((await sClient(served, ["-tls1_3"])).code, 0);
  });

  it("agrees on h2 first, on http/1.1 where it wants that, and on nothing else", async (t) => {
    const served = await serve(t);
    for (const [offered, chosen] of [
      ["http/1.1,h2", "h2"],
      ["http/1.1", "http/1.1"],
    ] as const) {
      const { stdout } = await sClient(served, ["-alpn", offered]);
      assert.match(stdout, new RegExp(`^ALPN protocol: ${chosen}$`, "m"));
    }
    assert.match((await sClient(served, [])).stdout, /^No ALPN negotiated$/m);
    assert.match((await sClient(served, ["-alpn", "spdy/1"])).stderr, /alert no application protocol/);
  });

  it("is answered", async (t) => {
    const served = await serve(t);
    const request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const { stdout } = await sClient(served, ["-quiet", "-alpn", "http/1.1"], request);
    assert.match(stdout, /^HTTP\/1\.1 200 OK\r$/m);
    assert.match(stdout, /^v2ray_up 1$/m);
  });

  it("sees a changed certificate on new connections, and the old one while the files do not fit", async (t) => {
    const served = await serve(t);
    const isServed = async (cert: string): Promise<boolean> => {
      const { stdout } = await sClient(served, ["-showcerts"]);
      return stdout.includes(cert.split("\n").slice(1, 3).join("\n"));
    };
    assert.equal(await isServed(tlsFixture.cert), true);
    served.folder.write("cert.pem", otherTlsFixture.cert);
    await served.cli.stderr.matching(/WARN.*the new certificate cannot be used.*key\.pem/);
    assert.equal(await isServed(tlsFixture.cert), true);
    writePair(served.folder, otherTlsFixture);
    await served.cli.stderr.matching(/the certificate has changed/);
    assert.equal(await isServed(otherTlsFixture.cert), true);
  });

  it("is asked for a certificate that an authority has signed, where clients are verified", async (t) => {
    const served = await serve(t, {
      client_authentication: "require",
      client_certificate: clientAuthority.split("\n"),
    });
    const call = async (identity?: {
      readonly cert: string;
      readonly key: string;
    }): Promise<ProgramResult> => {
      const request = "GET /metrics HTTP/1.1\r\nHost: api.example\r\nConnection: close\r\n\r\n";
      const files = identity && [
        ...["-cert", served.folder.write("client.pem", identity.cert)],
        ...["-key", served.folder.write("client-key.pem", identity.key)],
      ];
      return sClient(served, ["-quiet", ...(files ?? [])], request);
    };
    assert.match((await call(clientFixture)).stdout, /^HTTP\/1\.1 200 OK\r$/m);
    assert.match((await call()).stderr, /alert certificate required/);
    assert.doesNotMatch((await call(strangerFixture)).stdout, /HTTP/);
  });
});
