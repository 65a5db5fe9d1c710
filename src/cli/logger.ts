import { destination as createDestination, pino, type DestinationStream } from "pino";
import { build as createPretty } from "pino-pretty";
import { StartError } from "../app.js";
import type { LogConfig } from "../config/log.js";
import { silentLogger, type LogFields, type Logger } from "../index.js";

/** Names of the standard streams in a config, and their descriptors. */
const standardStreams: Readonly<Partial<Record<string, 1 | 2>>> = { stdout: 1, stderr: 2 };

/**
 * The logger that a config's section `log` describes: readable lines through pino.
 *
 * @throws StartError if the file cannot be opened.
 */
export function createLogger({ disabled, level, output, timestamp }: LogConfig): Logger {
  if (disabled) return silentLogger;
  const logger = pino(
    {
      // sing-box's most severe level is one that nothing of ours reaches.
      level: level === "panic" ? "fatal" : level,
      base: null,
      timestamp: timestamp && pino.stdTimeFunctions.isoTime,
    },
    createReadable(output),
  );
  const write =
    (method: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      logger[method](fields, message);
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

function createReadable(output: string): DestinationStream {
  const descriptor = standardStreams[output];
  return createPretty({
    colorize: descriptor !== undefined && isTerminal(descriptor),
    destination: openDestination(descriptor ?? output),
    singleLine: true,
    // It would give a line of its own to a field of the name `error`.
    errorLikeObjectKeys: [],
    // Synchronous, so that the last lines before an exit are not lost.
    sync: true,
    translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l o",
  });
}

function openDestination(dest: string | number): DestinationStream {
  try {
    return createDestination({ dest, mkdir: true, sync: true });
  } catch (error) {
    throw new StartError("log", error);
  }
}

function isTerminal(descriptor: 1 | 2): boolean {
  return (descriptor === 1 ? process.stdout : process.stderr).isTTY;
}
