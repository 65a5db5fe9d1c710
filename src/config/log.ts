import { z } from "zod";
import { flagField, textField } from "./fields.js";
import { oneOf, section } from "./section.js";

/** How much is logged, from everything to almost nothing, in sing-box's words. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "panic"] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** The section `log`: what is logged, and where to. */
export type LogConfig = z.output<typeof logSchema>;

/** Checks the section `log`. It may be missing as a whole. */
export const logSchema = section({
  /** Whether nothing at all is logged. Default: `false`. */
  disabled: flagField().default(false),
  /** The least important level that is logged. Default: `info`. */
  level: z.enum(logLevels, { error: oneOf(logLevels) }).default("info"),
  /** A file's path, or `stdout` or `stderr`. Default: `stderr`, which leaves stdout to the data of a command. */
  output: textField('a file path, "stdout" or "stderr"', (path) => path !== "").default("stderr"),
  /** Whether each line begins with the time. Default: `true`. In sing-box it is `false`. */
  timestamp: flagField().default(true),
}).prefault({});
