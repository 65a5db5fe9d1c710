import { EventEmitter } from "node:events";
import type { CommandProcess, KeyInput, TextOutput } from "../../src/cli/command.js";

/** A process that keeps what is printed, and gets its signals from `emit()`. */
export class FakeProcess extends EventEmitter implements CommandProcess {
  /** Everything that was written, in order. */
  readonly printed = { stdout: "", stderr: "" };
  readonly env: Record<string, string | undefined> = {};
  readonly stdin = new FakeInput();
  readonly stdout = new FakeOutput((text) => {
    this.#print("stdout", text);
  });
  readonly stderr = new FakeOutput((text) => {
    this.#print("stderr", text);
  });

  #print(name: "stdout" | "stderr", text: string): void {
    this.printed[name] += text;
    this.emit("printed");
  }
}

/** A stream that is read to the end, unless it is told to fail. */
class FakeOutput extends EventEmitter implements TextOutput {
  isTTY = false;
  rows = 24;
  /** Why nothing more can be written. */
  failure: Error | undefined;
  /** Whether nobody reads what is written. */
  isStuck = false;
  readonly #print: (text: string) => void;

  constructor(print: (text: string) => void) {
    super();
    this.#print = print;
  }

  write(text: string, written: (error?: Error) => void = () => undefined): void {
    if (this.failure === undefined) this.#print(text);
    if (this.isStuck) return;
    setImmediate(written, this.failure);
  }
}

/** A keyboard: `emit("data", key)` types. */
class FakeInput extends EventEmitter implements KeyInput {
  isTTY = false;
  /** What it was told, in order. */
  readonly calls: string[] = [];

  setRawMode(raw: boolean): void {
    this.calls.push(`setRawMode ${raw}`);
  }

  resume(): void {
    this.calls.push("resume");
  }

  pause(): void {
    this.calls.push("pause");
  }
}
