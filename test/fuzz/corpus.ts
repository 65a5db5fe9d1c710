import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootPath } from "../helpers/cli.js";

/** An input that is tried at every run. */
export interface CorpusEntry {
  /** What it is there for. */
  readonly why: string;
  readonly input: unknown;
}

/** The entries of a property, in `test/fuzz/corpus/NAME.json`. None if there is no such file. */
export function readCorpus(name: string): readonly CorpusEntry[] {
  const path = pathOf(name);
  if (!existsSync(path)) return [];
  return JSON.parse(readFileSync(path, "utf8")) as readonly CorpusEntry[];
}

/** Adds an entry to a property's corpus, unless it is there. */
export function addToCorpus(name: string, entry: CorpusEntry): void {
  const entries = readCorpus(name);
  const input = JSON.stringify(entry.input);
  if (entries.some((known) => JSON.stringify(known.input) === input)) return;
  writeFileSync(pathOf(name), `${JSON.stringify([...entries, entry], undefined, 2)}\n`);
}

function pathOf(name: string): string {
  return join(rootPath, "test", "fuzz", "corpus", `${name}.json`);
}
