import { EventEmitter } from "node:events";
import type { CommandProcess } from "../../src/cli/command.js";

/** A process that keeps what is printed, and gets its signals from `emit()`. */
export class FakeProcess extends EventEmitter implements CommandProcess {
  /** Everything that was written, in order. */
  readonly printed = { stdout: "", stderr: "" };
  readonly stdout = {
    write: (text: string): void => {
      this.#print("stdout", text);
    },
  };
  readonly stderr = {
    write: (text: string): void => {
      this.#print("stderr", text);
    },
  };

  #print(name: "stdout" | "stderr", text: string): void {
    this.printed[name] += text;
    this.emit("printed");
  }
}
