import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { describe, it } from "node:test";
import { runProgram } from "../helpers/program.js";
import { createTempDir } from "../helpers/temp-dir.js";

const io = { timeout: 30_000 };
/** Others compile everything anew each time, and there is nothing to keep. */
const doesNodeKeep = "enableCompileCache" in nodeModule;
const url = (path: string) => JSON.stringify(new URL(path, import.meta.url));
const program = `
  import { keepCompiled } from ${url("../../src/cli/compile-cache.js")};
  keepCompiled(process.env);
  await import(${url("../../src/cli/help.js")});
`;

/** Runs what keeps what it has compiled, and nothing of the environment of the tests has a say in it. */
async function run(env: Readonly<Record<string, string>>, cwd?: string): Promise<void> {
  const nothing = { XDG_CACHE_HOME: undefined, NODE_COMPILE_CACHE: undefined };
  const args = ["--input-type=module", "--eval", program];
  const { code, stderr } = await runProgram(process.execPath, args, {
    env: { ...nothing, NODE_DISABLE_COMPILE_CACHE: undefined, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  assert.deepEqual([code, stderr], [0, ""]);
}

/** How many files there are in a folder and those below it. */
function fileCount(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length;
}

describe("keepCompiled()", () => {
  it("keeps what is compiled in a folder of its own in XDG_CACHE_HOME", io, async (t) => {
    const cache = createTempDir(t);
    await run({ XDG_CACHE_HOME: cache.path });
    assert.deepEqual(readdirSync(cache.path), doesNodeKeep ? ["v2ray-api"] : []);
    assert.equal(fileCount(cache.join("v2ray-api")) > 0, doesNodeKeep);
    if (doesNodeKeep) assert.equal(statSync(cache.join("v2ray-api")).mode & 0o777, 0o700);
  });

  it("keeps it in ~/.cache by default", io, async (t) => {
    const home = createTempDir(t);
    await run({ HOME: home.path });
    assert.equal(fileCount(home.join(".cache/v2ray-api")) > 0, doesNodeKeep);
  });

  it("keeps nothing where others may write", io, async (t) => {
    const cache = createTempDir(t);
    mkdirSync(cache.join("v2ray-api"));
    chmodSync(cache.join("v2ray-api"), 0o777);
    await run({ XDG_CACHE_HOME: cache.path });
    assert.equal(fileCount(cache.path), 0);
  });

  it("keeps nothing where there is no place for it", io, async (t) => {
    const cache = createTempDir(t);
    const file = cache.write("file", "");
    await run({ XDG_CACHE_HOME: file });
    assert.equal(fileCount(cache.path), 1);
  });

  it("keeps nothing where the working directory decides which place that is", io, async (t) => {
    const folder = createTempDir(t);
    await run({ XDG_CACHE_HOME: "cache" }, folder.path);
    assert.equal(existsSync(folder.join("cache")), false);
  });

  it("keeps nothing where Node is told not to", io, async (t) => {
    const cache = createTempDir(t);
    await run({ XDG_CACHE_HOME: cache.path, NODE_DISABLE_COMPILE_CACHE: "1" });
    assert.deepEqual(readdirSync(cache.path), []);
  });

  it("leaves it where NODE_COMPILE_CACHE says", io, async (t) => {
    const [cache, told] = [createTempDir(t), createTempDir(t)];
    await run({ XDG_CACHE_HOME: cache.path, NODE_COMPILE_CACHE: told.path });
    assert.equal(fileCount(cache.path), 0);
    assert.equal(fileCount(told.path) > 0, doesNodeKeep);
  });
});
