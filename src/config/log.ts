import { z } from "zod";
import { flagField, textField } from "./fields.js";
import { oneOf, section } from "./section.js";

/** How much is logged, from everything to almost nothing, in sing-box's words. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "panic"] as const;
/** One of {@link logLevels}. */
export type LogLevel = (typeof logLevels)[number];

/** How a line of the log is written. */
export const logFormats = ["text", "json"] as const;

/** The section `log`: what is logged, and where to. */
export type LogConfig = z.output<typeof logSchema>;

/** Checks the section `log`. It may be missing as a whole. */
export const logSchema = section({
  disabled: flagField("Whether nothing at all is logged.").default(false),
  level: z
    .enum(logLevels, { error: oneOf(logLevels) })
    .default("info")
    .describe("The least important level that is logged."),
  // Not stdout, which is for the data of a command.
  output: textField(
    "Where the log goes.",
    'a file path, "stdout" or "stderr"',
    (path) => path !== "",
  ).default("stderr"),
  format: z
    .enum(logFormats, { error: oneOf(logFormats) })
    .default("text")
    .describe(
      "`text`: lines for people. `json`: each line is a JSON object with `level`, `time` (ISO 8601, UTC), `message` and the facts, for programs. Not in sing-box.",
    ),
  timestamp: flagField("Whether each line begins with the time. In sing-box the default is `false`.").default(
    true,
  ),
})
  .prefault({})
  .describe("What is logged, and where to.");
