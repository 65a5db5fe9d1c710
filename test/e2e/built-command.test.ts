import assert from "node:assert/strict";
import { cpSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { callJson } from "../helpers/api-client.js";
import { cliPath, rootPath, startCli } from "../helpers/cli.js";
import { isIn, modulesOfCommand, packageOf, sourcesOf, watchModules } from "../helpers/loaded-modules.js";
import { runProgram } from "../helpers/program.js";
import { createTempDir, TempDir } from "../helpers/temp-dir.js";

const io = { timeout: 20_000 };
const cliFolder = dirname(cliPath);
/** What the bundler adds of its own, which has no source. */
const runtime = "rolldown-runtime.js";

describe("the built command", () => {
  it("runs where there are no packages", io, async (t) => {
    const folder = createTempDir(t);
    cpSync(cliFolder, folder.join("cli"), { recursive: true });
    const config = join(rootPath, "examples", "rules.json");
    const args = [folder.join("cli/main.js"), "check", "-c", config];
    assert.deepEqual(await runProgram(process.execPath, args), { code: 0, stdout: "ok\n", stderr: "" });
  });

  it("has a map to its source beside each of its files", () => {
    const files = readdirSync(cliFolder).filter((file) => file.endsWith(".js") && file !== runtime);
    assert.ok(files.length > 1);
    for (const file of files) {
      const { sources, sourcesContent } = JSON.parse(
        readFileSync(join(cliFolder, `${file}.map`), "utf8"),
      ) as { readonly sources: readonly string[]; readonly sourcesContent: readonly unknown[] };
      assert.equal(sources.length, sourcesContent.length, file);
      for (const source of sourcesContent) assert.equal(typeof source, "string", file);
    }
  });

  it("says of each package that is built in who wrote it and on which terms", () => {
    const notices = readFileSync(join(cliFolder, "THIRD-PARTY-NOTICES.txt"), "utf8");
    const packages = new Set(
      readdirSync(cliFolder)
        .filter((file) => file.endsWith(".js"))
        .flatMap((file) => sourcesOf(pathToFileURL(join(cliFolder, file)).href))
        .map(packageOf)
        .filter((name) => name !== undefined),
    );
    assert.ok(packages.size > 5);
    for (const name of packages) {
      const [, part = ""] = notices.split(`\n${name} `);
      const [text = ""] = part.split("-".repeat(80), 1);
      assert.match(text, /copyright/i, name);
    }
    assert.match(notices, /Apache License\n +Version 2\.0, January 2004/);
  });
});

describe("v2ray-api run", () => {
  let modules: readonly string[] = [];
  before(async () => {
    const closings: (() => Promise<void>)[] = [];
    const folder = new TempDir();
    try {
      const watched = watchModules(folder);
      const cli = await startCli({ after: (close) => closings.push(close) }, undefined, watched);
      const { status } = await callJson(cli.api, "GetSysStats");
      assert.equal(status, 200);
      modules = watched.loaded();
    } finally {
      for (const close of closings) await close();
      folder[Symbol.dispose]();
    }
  });

  it("loads nothing but files of its own and Node's before its first answer", () => {
    const isOwn = isIn("dist/cli");
    assert.deepEqual(
      modules.filter((url) => !isOwn(url) && !url.startsWith("node:")),
      [],
    );
  });

  it("loads of the packages those only that it needs before its first answer", () => {
    const packages = new Set(modules.flatMap(sourcesOf).map(packageOf));
    packages.delete(undefined);
    assert.deepEqual([...packages].sort(), [
      "@bufbuild/protobuf",
      "@connectrpc/connect",
      "@connectrpc/connect-node",
      "atomic-sleep",
      "ipaddr.js",
      "jsonc-parser",
      "sonic-boom",
      "zod",
    ]);
  });

  it("loads nothing of the commands that read a server but what a server's address looks like", () => {
    assert.deepEqual(
      modules.flatMap(sourcesOf).filter((url) => /\/src\/client\/|\/cli\/(stats|top|api-[sx])/.test(url)),
      [pathToFileURL(join(rootPath, "src", "client", "server-address.ts")).href],
    );
  });

  it("has Node load nothing of fetch(), which takes a tenth of the start", io, async () => {
    const command = join(cliFolder, "run.js");
    const loaded = await runProgram(process.execPath, [
      "--eval",
      `require(${JSON.stringify(command)}); console.log(process.moduleLoadList.filter((name) => name.endsWith("/undici")))`,
    ]);
    // It loads the command line, too, which prints its usage.
    assert.match(loaded.stdout, /usage:[^]*\n\[\]\n$/);
    const control = await runProgram(process.execPath, [
      "--eval",
      "new Headers(); console.log(process.moduleLoadList.some((name) => name.endsWith('/undici')))",
    ]);
    assert.equal(control.stdout, "true\n");
  });

  it("loads what check loads, and more", io, async () => {
    const all = new Set(modules.flatMap(sourcesOf));
    const ofCheck = await modulesOfCommand("check", "-c", join("examples", "config.json"));
    const packages = new Set(ofCheck.map(packageOf));
    packages.delete(undefined);
    assert.deepEqual([...packages].sort(), ["ipaddr.js", "jsonc-parser", "zod"]);
    assert.deepEqual(
      ofCheck.filter((url) => !all.has(url) && !url.endsWith("/src/cli/check.ts")),
      [],
    );
  });
});
