import assert from "node:assert/strict";
import { readFileSync, realpathSync } from "node:fs";
import { before, describe, it } from "node:test";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { rootPath } from "../helpers/cli.js";
import { runProgram } from "../helpers/program.js";
import { TempDir } from "../helpers/temp-dir.js";

/**
 * Writes the URL of each module that is resolved to a file, a line each. Node has two ways to be told of them; the older
 * one, whose hooks run in a thread of their own, is all that Node 20 has, and will not be in later ones.
 */
const preload = `
import { appendFileSync } from "node:fs";
import * as nodeModule from "node:module";

const log = %LOG%;
const hooks = \`
  import { appendFileSync } from "node:fs";
  export async function resolve(specifier, context, next) {
    const resolved = await next(specifier, context);
    appendFileSync(\${JSON.stringify(log)}, resolved.url + "\\\\n");
    return resolved;
  }
\`;
if (nodeModule.registerHooks === undefined) {
  nodeModule.register("data:text/javascript," + encodeURIComponent(hooks));
} else {
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      appendFileSync(log, resolved.url + "\\n");
      return resolved;
    },
  });
}
`;

/** The URLs of the modules that a program loads which imports that, each once. */
async function modulesOf(specifier: string): Promise<readonly string[]> {
  const folder = new TempDir();
  try {
    const log = folder.write("modules.txt", "");
    const hook = folder.write(
      "preload.mjs",
      preload.replace("%LOG%", () => JSON.stringify(log)),
    );
    // A program that is evaluated stands in its working directory: inside the package, where its name leads to it.
    const program = `import { createApp } from ${JSON.stringify(specifier)}; console.log(typeof createApp);`;
    const args = ["--import", pathToFileURL(hook).href, "--input-type=module", "--eval", program];
    const { code, stdout, stderr } = await runProgram(process.execPath, args, { cwd: rootPath });
    assert.deepEqual([code, stdout], [0, "function\n"], stderr);
    return [...new Set(readFileSync(log, "utf8").trimEnd().split("\n"))];
  } finally {
    folder[Symbol.dispose]();
  }
}

/** What the V2Ray API needs and the proxy does not. */
const parts: readonly (readonly [what: string, isOfIt: (url: string) => boolean])[] = [
  ["@connectrpc", (url) => packageOf(url)?.startsWith("@connectrpc/") === true],
  ["@bufbuild", (url) => packageOf(url)?.startsWith("@bufbuild/") === true],
  ["re2js", (url) => packageOf(url) === "re2js"],
  ["dist/rpc", isIn("dist/rpc")],
  ["gen", isIn("gen")],
];

/** The package of a dependency's module. */
function packageOf(url: string): string | undefined {
  return /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1];
}

function isIn(folder: string): (url: string) => boolean {
  const start = pathToFileURL(realpathSync(join(rootPath, folder))).href;
  return (url) => url.startsWith(`${start}/`);
}

describe("the package's entry points", () => {
  let full: readonly string[] = [];
  let proxy: readonly string[] = [];
  before(async () => {
    full = await modulesOf("v2ray-api");
    proxy = await modulesOf("v2ray-api/proxy");
  });

  for (const [what, isOfIt] of parts) {
    it(`v2ray-api loads ${what}, v2ray-api/proxy does not`, () => {
      assert.notDeepEqual(full.filter(isOfIt), []);
      assert.deepEqual(proxy.filter(isOfIt), []);
    });
  }

  it("v2ray-api/proxy loads the proxy, and no other package than proxy and config need", () => {
    for (const file of ["proxy-entry", "app", "proxy/router", "config/parse-config", "track/stats-tracker"]) {
      assert.ok(
        proxy.some((url) => url.endsWith(`/dist/${file}.js`)),
        file,
      );
    }
    const packages = new Set(proxy.map(packageOf).filter((name) => name !== undefined));
    assert.deepEqual([...packages].sort(), ["ipaddr.js", "jsonc-parser", "zod"]);
  });
});
