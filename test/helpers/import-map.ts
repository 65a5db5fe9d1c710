import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { rootPath } from "./cli.js";

/** Packages whose modules a page may import. */
const packageFolders = [
  "node_modules/@bufbuild/protobuf",
  "node_modules/@connectrpc/connect",
  "node_modules/@connectrpc/connect-web",
] as const;

/** What a page may load: of those packages their modules, and of ours the generated files. */
const servedFolders = ["/gen/", ...packageFolders.map((folder) => `/${folder}/dist/esm/`)];

/** The part of a package.json that says which file an import means. */
interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<
    Record<string, string | { readonly import?: string; readonly default?: string }>
  >;
}

/**
 * The import map of a page, which does what a bundler would: it leads names to modules, as the packages' own `exports` do.
 * It has paths that {@link fileOfModule} knows, and no other.
 */
export function createImportMap(): { readonly imports: Readonly<Record<string, string>> } {
  const imports = ["", ...packageFolders].flatMap((folder) => {
    const text = readFileSync(join(rootPath, folder, "package.json"), "utf8");
    const { name, exports } = JSON.parse(text) as PackageJson;
    return Object.entries(exports).map(([subpath, target]) => {
      const file = typeof target === "string" ? target : (target.import ?? target.default ?? "");
      return [posix.join(name, subpath), posix.join("/", folder, file)] as const;
    });
  });
  return { imports: Object.fromEntries(imports.filter(([, path]) => isServed(path))) };
}

/** The file that a path on a site of ours means; `undefined` if it is no module for browsers. */
export function fileOfModule(path: string): string | undefined {
  return isServed(path) ? join(rootPath, path) : undefined;
}

function isServed(path: string): boolean {
  // No dot but that of the ending: no way out of the folders.
  return /^(\/[\w@-]+)+\.js$/.test(path) && servedFolders.some((folder) => path.startsWith(folder));
}
