import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readCertificates } from "../../src/net/certificates.js";
import { createTempDir } from "../helpers/temp-dir.js";
import { tlsFixture } from "../helpers/tls.js";

const { cert, key } = tlsFixture;

describe("readCertificates", () => {
  const right: readonly (readonly [title: string, text: string])[] = [
    ["one certificate", cert],
    ["several", `${cert}\n${cert}\n`],
    ["what people write between them", `My authority\n============\n${cert}\n# and another one\n${cert}\n`],
    ["lines that end as on Windows", `${cert}\n`.replaceAll("\n", "\r\n")],
  ];
  for (const [title, text] of right) {
    it(`reads ${title}, as it is`, async (t) => {
      assert.equal(await readCertificates(createTempDir(t).write("ca.pem", text)), text);
    });
  }

  const broken = cert.replace("MIIBrjCC", "MIIBrjCD");
  const wrong: readonly (readonly [title: string, text: string, reason: RegExp])[] = [
    ["nothing", "", /it has no certificate in PEM$/],
    ["a key", key, /it has no certificate in PEM$/],
    ["something else", "secret: zqxjkvbw", /it has no certificate in PEM$/],
    ["half a certificate", cert.slice(0, 300), /it has no certificate in PEM$/],
    ["a broken certificate", broken, /ca\.pem": .+/],
    ["a broken certificate behind a right one", `${cert}\n${broken}`, /ca\.pem": .+/],
  ];
  for (const [title, text, reason] of wrong) {
    it(`refuses a file with ${title}, which it names and does not show`, async (t) => {
      const path = createTempDir(t).write("ca.pem", text);
      await assert.rejects(readCertificates(path), ({ message }: Error) => {
        assert.ok(message.startsWith(`cannot read certificates from ${JSON.stringify(path)}: `), message);
        assert.match(message, reason);
        assert.doesNotMatch(message, /zqxjkvbw|MII/);
        return true;
      });
    });
  }

  it("refuses a file that is not there, and says so", async (t) => {
    const path = createTempDir(t).join("ca.pem");
    await assert.rejects(readCertificates(path), ({ message, cause }: Error) => {
      assert.match(message, /ENOENT: no such file/);
      return cause instanceof Error;
    });
  });

  it("refuses a folder", async (t) => {
    await assert.rejects(readCertificates(createTempDir(t).path), /EISDIR/);
  });
});
