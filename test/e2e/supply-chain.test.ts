import assert from "node:assert/strict";
import { chmodSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { rootPath } from "../helpers/cli.js";
import { runProgram } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";

const io = { timeout: 20_000 };

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(rootPath, name), "utf8"));
}

/** What npm runs at whoever installs the package, from the registry or from Git. */
const installScripts = ["preinstall", "install", "postinstall", "preprepare", "prepare", "postprepare"];

interface LockedPackage {
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly integrity?: string;
}

describe("the package", () => {
  it("runs nothing when it is installed", () => {
    const { scripts } = readJson("package.json") as { scripts: Readonly<Record<string, string>> };
    assert.deepEqual(
      Object.keys(scripts).filter((name) => installScripts.includes(name)),
      [],
    );
  });

  it("depends on nothing that does, and on nothing that is not locked by its hash", () => {
    const { packages } = readJson("package-lock.json") as {
      packages: Readonly<Record<string, LockedPackage>>;
    };
    const installed = Object.entries(packages).filter(([path, { dev }]) => path !== "" && dev !== true);
    assert.ok(installed.length >= 9, `${installed.length}`);
    for (const [path, { hasInstallScript, integrity }] of installed) {
      assert.notEqual(hasInstallScript, true, path);
      assert.match(integrity ?? "", /^sha512-/, path);
    }
  });

  it("pins what it depends on", () => {
    const { dependencies, devDependencies } = readJson("package.json") as {
      dependencies: Readonly<Record<string, string>>;
      devDependencies: Readonly<Record<string, string>>;
    };
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+$/, name);
    }
  });
});

/** Runs scripts/audit.mjs with an npm that prints this. */
async function audit(t: TestContext, printed: object) {
  const folder = createTempDir(t);
  folder.write("printed.json", JSON.stringify(printed));
  chmodSync(
    folder.write("npm", `#!/bin/sh\necho "$@" >>"${folder.path}/args"\ncat "${folder.path}/printed.json"\n`),
    0o700,
  );
  const env = { PATH: `${folder.path}${delimiter}${process.env["PATH"] ?? ""}` };
  const result = await runProgram(process.execPath, [join(rootPath, "scripts/audit.mjs")], { env });
  assert.equal(
    readFileSync(folder.join("args"), "utf8").split("\n")[0],
    "audit --json --omit=dev",
    result.stderr,
  );
  return result;
}

function report(...severities: readonly string[]): object {
  const found = severities.map((severity, index) => {
    const name = `package-${index}`;
    return [name, { name, severity, range: "<1.2.3" }] as const;
  });
  const vulnerabilities: Readonly<Record<string, object>> = Object.fromEntries(found);
  return { auditReportVersion: 2, vulnerabilities };
}

describe("the audit of what the package depends on", io, () => {
  it("is content where nothing is known", async (t) => {
    const { code, stdout } = await audit(t, report());
    assert.equal(code, 0);
    assert.match(stdout, /^what the package depends on, from low on: clean$/m);
  });

  for (const severity of ["low", "moderate", "high", "critical"]) {
    it(`fails where the severity of something is ${severity}, and names it`, async (t) => {
      const { code, stdout } = await audit(t, report("info", severity));
      assert.equal(code, 1);
      assert.match(stdout, new RegExp(`^  package-1 <1\\.2\\.3: ${severity}$`, "m"));
      assert.doesNotMatch(stdout, /package-0/);
      const isHigh = severity === "high" || severity === "critical";
      const verdict = isHigh ? "vulnerable" : "clean";
      assert.match(stdout, new RegExp(`^what it is built and tested with, from high on: ${verdict}$`, "m"));
    });
  }

  it("says that a registry answers no audits, which is no failure", async (t) => {
    const uri = "https://registry.npmjs.org/-/npm/v1/security/advisories/bulk";
    const message = `405 Method Not Allowed - POST ${uri}`;
    const { code, stdout } = await audit(t, { message, uri, statusCode: 405, error: { summary: "" } });
    assert.equal(code, 0);
    assert.match(stdout, /from low on: unanswered\n {2}405 Method Not Allowed/);
  });

  it("fails at anything else, of which nobody knows what it means", async (t) => {
    const { code, stderr } = await audit(t, { error: { code: "ENOLOCK", summary: "there is no lock file" } });
    assert.equal(code, 1);
    assert.match(stderr, /npm audit: there is no lock file/);
  });
});
