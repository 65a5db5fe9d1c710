import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { filesOf, readServerCredentials } from "../../src/net/server-credentials.js";
import type { PemSource, TlsServerOptions } from "../../src/net/tls-server-options.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { clientAuthority, encryptedKey, otherTlsFixture, tlsFixture } from "../helpers/tls.js";

const { cert, key } = tlsFixture;
const rsaLike = key.replace("MIGHAgEAMBMGByqGSM49", "MIGHAgEAMBMGByqGSM48");

describe("readServerCredentials", () => {
  it("reads files and texts", async (t) => {
    const folder = createTempDir(t);
    const expected = { cert, key, ca: [clientAuthority] };
    const files: TlsServerOptions = {
      certificate: { path: folder.write("cert.pem", cert) },
      key: { path: folder.write("key.pem", key) },
      clientAuthentication: "require-and-verify",
      clientCertificates: [{ path: folder.write("ca.pem", clientAuthority) }],
    };
    assert.deepEqual(await readServerCredentials(files), expected);
    assert.deepEqual(
      filesOf(files),
      ["cert.pem", "key.pem", "ca.pem"].map((name) => folder.join(name)),
    );
    const texts = {
      certificate: { pem: cert },
      key: { pem: key },
      clientCertificates: [{ pem: clientAuthority }],
    };
    assert.deepEqual(await readServerCredentials(texts), expected);
    assert.deepEqual(filesOf(texts), []);
  });

  const bad: readonly (readonly [
    what: string,
    certText: string | undefined,
    keyText: string | undefined,
    RegExp,
  ])[] = [
    ["no certificate", undefined, key, /^cannot read certificates from ".*cert\.pem": ENOENT/],
    ["no key", cert, undefined, /^cannot read a private key from ".*key\.pem": ENOENT/],
    [
      "a certificate that is none",
      "x",
      key,
      /^cannot read certificates from ".*cert\.pem": it has no certif/,
    ],
    ["a key that is none", cert, "x", /^cannot read a private key from ".*key\.pem": it has none in PEM$/],
    [
      "a certificate for a key",
      cert,
      cert,
      /^cannot read a private key from .*key\.pem": it has none in PEM$/,
    ],
    [
      "a key with a passphrase",
      cert,
      encryptedKey,
      /key\.pem": it has a passphrase, which is not supported$/,
    ],
    ["a broken key", cert, rsaLike, /^cannot read a private key from ".*key\.pem": \w/],
    [
      "the key of another certificate",
      cert,
      otherTlsFixture.key,
      /^".*key\.pem" is not that of ".*cert\.pem"$/,
    ],
  ];
  for (const [what, certText, keyText, message] of bad) {
    it(`names the file and tells nothing of it where there is ${what}`, async (t) => {
      const folder = createTempDir(t);
      const fileOf = (name: string, text: string | undefined): PemSource => ({
        path: text === undefined ? folder.join(name) : folder.write(name, text),
      });
      const options = { certificate: fileOf("cert.pem", certText), key: fileOf("key.pem", keyText) };
      await assert.rejects(readServerCredentials(options), (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /MI[GIH]|BEGIN/);
        return true;
      });
    });
  }

  it("names what was given in place of a file", async () => {
    const wrong = { certificate: { pem: cert }, key: { pem: otherTlsFixture.key } };
    await assert.rejects(readServerCredentials(wrong), {
      message: "the key that was given is not that of the certificate that was given",
    });
    const none = { certificate: { pem: "x" }, key: { pem: key } };
    await assert.rejects(readServerCredentials(none), {
      message: "the certificate that was given: it has no certificate in PEM",
    });
  });

  for (const clientAuthentication of ["verify-if-given", "require-and-verify"] as const) {
    it(`does not verify by the authorities of the whole world: ${clientAuthentication}`, async () => {
      const options = { certificate: { pem: cert }, key: { pem: key }, clientAuthentication };
      await assert.rejects(readServerCredentials(options), { message: /no authority to verify clients by/ });
    });
  }

  it("names the file of an authority of clients that is none", async (t) => {
    const path = createTempDir(t).write("ca.pem", key);
    const options = { certificate: { pem: cert }, key: { pem: key }, clientCertificates: [{ path }] };
    await assert.rejects(readServerCredentials(options), {
      message: /certificates from ".*ca\.pem": it has no/,
    });
  });
});
