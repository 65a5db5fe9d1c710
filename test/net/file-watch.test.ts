import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { describe, it, type TestContext } from "node:test";
import { watchFiles, type FileWatchOptions } from "../../src/net/file-watch.js";
import { runProgram } from "../helpers/program.js";
import { createTempDir, type TempDir } from "../helpers/temp-dir.js";

const io = { timeout: 10_000 };

/** A watch of files that counts what it tells. */
class Hints {
  count = 0;
  #wake: () => void = () => undefined;

  constructor(t: TestContext, paths: readonly string[], options: FileWatchOptions = { settleMs: 1 }) {
    const watch = watchFiles(paths, this.#add, options);
    // The watch itself keeps nothing alive.
    const alive = setInterval(() => undefined, 1_000);
    t.after(() => {
      clearInterval(alive);
      watch.stop();
    });
  }

  /** Resolves with the next one. */
  async next(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }

  readonly #add = (): void => {
    this.count += 1;
    this.#wake();
  };
}

/** A folder as Kubernetes mounts it: its files lead through `..data`, which is renamed over. */
function mount(folder: TempDir, version: string): void {
  mkdirSync(folder.join(`..${version}`));
  folder.write(`..${version}/tls.crt`, version);
  symlinkSync(`..${version}`, folder.join("..next"));
  renameSync(folder.join("..next"), folder.join("..data"));
}

describe("watchFiles", io, () => {
  const changes: readonly (readonly [what: string, change: (folder: TempDir) => void])[] = [
    ["written over", (folder) => folder.write("a.pem", "new")],
    [
      "renamed over",
      (folder) => {
        renameSync(folder.write("a.tmp", "new"), folder.join("a.pem"));
      },
    ],
    [
      "removed",
      (folder) => {
        rmSync(folder.join("a.pem"));
      },
    ],
    [
      "removed and made anew",
      (folder) => {
        rmSync(folder.join("a.pem"));
        folder.write("a.pem", "old");
      },
    ],
  ];
  for (const [what, change] of changes) {
    it(`tells that a file is ${what}`, async (t) => {
      const folder = createTempDir(t);
      const hints = new Hints(t, [folder.write("a.pem", "old")]);
      const next = hints.next();
      change(folder);
      await next;
    });
  }

  it("looks at a file now and then where its folder tells nothing: behind a link to another one", async (t) => {
    const folder = createTempDir(t);
    const file = createTempDir(t).write("a.pem", "old");
    symlinkSync(file, folder.join("a.pem"));
    const hints = new Hints(t, [folder.join("a.pem")], { settleMs: 1, pollMs: 20 });
    const next = hints.next();
    // It is not known when it has looked for the first time.
    const writing = setInterval(() => {
      writeFileSync(file, `new ${performance.now()}`);
    }, 10);
    t.after(() => {
      clearInterval(writing);
    });
    await next;
  });

  it("tells that a symbolic link leads elsewhere, as certbot has it", async (t) => {
    const folder = createTempDir(t);
    folder.write("cert1.pem", "old");
    folder.write("cert2.pem", "new");
    symlinkSync("cert1.pem", folder.join("cert.pem"));
    const hints = new Hints(t, [folder.join("cert.pem")]);
    const next = hints.next();
    rmSync(folder.join("cert.pem"));
    symlinkSync("cert2.pem", folder.join("cert.pem"));
    await next;
  });

  it("tells that a folder on the way is another one, as Kubernetes has it", async (t) => {
    const folder = createTempDir(t);
    mount(folder, "1");
    symlinkSync("..data/tls.crt", folder.join("tls.crt"));
    const hints = new Hints(t, [folder.join("tls.crt")]);
    const next = hints.next();
    mount(folder, "2");
    await next;
  });

  it("tells once of files that change together", async (t) => {
    const folder = createTempDir(t);
    const paths = ["a.pem", "b.pem"].map((name) => folder.write(name, "old"));
    const hints = new Hints(t, paths, { settleMs: 200 });
    const next = hints.next();
    for (const path of paths) writeFileSync(path, "new");
    await next;
    assert.equal(hints.count, 1);
  });

  it("waits for a file in a folder that is not there", async (t) => {
    const folder = createTempDir(t);
    const hints = new Hints(t, [folder.join("later/a.pem")], { settleMs: 1, pollMs: 20 });
    // That it is not there is told, too.
    await hints.next();
    mkdirSync(folder.join("later"));
    const next = hints.next();
    folder.write("later/a.pem", "new");
    await next;
  });

  it("does not tell of other files beside", async (t) => {
    const folder = createTempDir(t);
    const hints = new Hints(t, [folder.write("a.pem", "old")], { settleMs: 0 });
    folder.write("b.pem", "new");
    const next = hints.next();
    folder.write("a.pem", "new");
    await next;
    assert.equal(hints.count, 1);
  });

  it("tells nothing once it is stopped", async (t) => {
    const folder = createTempDir(t);
    const path = folder.write("a.pem", "old");
    let count = 0;
    const watch = watchFiles([path], () => (count += 1), { settleMs: 0 });
    watch.stop();
    watch.stop();
    const next = new Hints(t, [path]).next();
    folder.write("a.pem", "new");
    await next;
    assert.equal(count, 0);
  });

  it("keeps no process alive", async (t) => {
    const module = new URL("../../src/net/file-watch.js", import.meta.url).href;
    const script = `const { watchFiles } = await import(process.argv[1]); watchFiles([process.argv[2]], () => {});`;
    const path = createTempDir(t).write("a.pem", "old");
    const { code } = await runProgram(process.execPath, ["--input-type=module", "-e", script, module, path]);
    assert.equal(code, 0);
  });
});
