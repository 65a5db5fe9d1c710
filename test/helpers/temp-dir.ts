import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own, removed when it is disposed. */
export class TempDir {
  readonly path = mkdtempSync(join(tmpdir(), "v2ray-api-test-"));

  /** @returns the path of a file in the folder, which need not exist. */
  join(name: string): string {
    return join(this.path, name);
  }

  /** @returns the path of the written file. */
  write(name: string, content: string | Uint8Array): string {
    const path = this.join(name);
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A folder that is removed after the test. */
export function createTempDir(t: { after: (fn: () => void) => void }): TempDir {
  const folder = new TempDir();
  t.after(() => {
    folder[Symbol.dispose]();
  });
  return folder;
}
