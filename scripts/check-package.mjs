// Packs the package and tries it as its users do: linted, installed in an empty folder, run, imported and compiled.
//
//   node scripts/check-package.mjs
//
// The dependencies are installed anew, so it needs a registry.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { checkCommand } from "./package/command.mjs";
import { checkContents } from "./package/contents.mjs";
import { checkEntryPoints } from "./package/entry-points.mjs";
import { run } from "./package/run.mjs";

const folder = mkdtempSync(join(tmpdir(), "v2ray-api-package-"));
try {
  await run("npm", ["pack", "--silent", "--pack-destination", folder]);
  const [name] = readdirSync(folder);
  const tarball = join(folder, name);
  await step("publint", async () => {
    const { messages } = await publint({ pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer } });
    assert.deepEqual(messages, []);
  });
  await step("are the types wrong?", async () =>
    run("npx", ["--no-install", "attw", "--profile", "esm-only", tarball]),
  );
  writeFileSync(join(folder, "package.json"), "{}\n");
  await run("npm", ["install", "--silent", "--no-audit", "--no-fund", tarball], { cwd: folder });
  await step("contents", () => checkContents(join(folder, "node_modules", "v2ray-api")));
  await step("command", async () => checkCommand(folder));
  await step("entry points", async () => checkEntryPoints(folder));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function step(what, check) {
  await check();
  console.log(`ok  ${what}`);
}
