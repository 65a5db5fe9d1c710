import type { ConfigPath } from "./config-path.js";

/** Something wrong that a check found in a config's value, before it is known where its source text stands. */
export interface Finding {
  readonly path: ConfigPath;
  /** What is wrong and what is expected. Never a password or a secret. */
  readonly message: string;
  /** What is at fault: the key itself, or what it holds. A missing value is its owner's fault. */
  readonly at: "key" | "value";
}
