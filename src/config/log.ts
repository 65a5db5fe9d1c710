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
  timestamp: flagField("Whether each line begins with the time. In sing-box the default is `false`.").default(
    true,
  ),
})
  .prefault({})
  .describe("What is logged, and where to.");
