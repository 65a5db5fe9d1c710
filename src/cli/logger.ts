import { destination as createDestination, pino } from "pino";
import { build as createPretty, type PrettyStream } from "pino-pretty";
import type { LogConfig } from "../config/log.js";
import { silentLogger, StartError, type LogFields, type Logger } from "../index.js";

/** Names of the standard streams in a config, and their descriptors. */
const standardStreams: Readonly<Partial<Record<string, 1 | 2>>> = { stdout: 1, stderr: 2 };

/** A logger that lets go of its file when it is not needed any more. */
export interface ClosableLogger extends Logger {
  /** Nothing may be logged from here on. */
  close(): void;
}

/**
 * The logger that a config's section `log` describes: through pino, readable lines or JSON.
 *
 * @throws StartError if the file cannot be opened.
 */
export function createLogger({ disabled, level, output, format, timestamp }: LogConfig): ClosableLogger {
  if (disabled) return { ...silentLogger, close: () => undefined };
  const stream = format === "json" ? openDestination(toDestination(output)) : createReadable(output);
  const logger = pino(
    {
      // sing-box's most severe level is one that nothing of ours reaches.
      level: level === "panic" ? "fatal" : level,
      base: null,
      messageKey: "message",
      formatters: { level: (label) => ({ level: label }) },
      timestamp: timestamp && pino.stdTimeFunctions.isoTime,
    },
    stream,
  );
  const write =
    (method: "debug" | "info" | "warn" | "error") =>
    (message: string, fields: LogFields = {}): void => {
      logger[method](fields, message);
    };
  return {
    ...{ debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    close: () => {
      stream.end();
    },
  };
}

function createReadable(output: string): PrettyStream {
  const dest = toDestination(output);
  return createPretty({
    colorize: typeof dest === "number" && isTerminal(dest),
    destination: openDestination(dest),
    messageKey: "message",
    singleLine: true,
    // It would give a line of its own to a field of the name `error`.
    errorLikeObjectKeys: [],
    // Synchronous, so that the last lines before an exit are not lost.
    sync: true,
    translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l o",
  });
}

/** The descriptor of a standard stream, or the path of a file. */
function toDestination(output: string): string | 1 | 2 {
  return standardStreams[output] ?? output;
}

function openDestination(dest: string | number): ReturnType<typeof createDestination> {
  try {
    return createDestination({ dest, mkdir: true, sync: true });
  } catch (error) {
    throw new StartError("log", error);
  }
}

function isTerminal(descriptor: 1 | 2): boolean {
  return (descriptor === 1 ? process.stdout : process.stderr).isTTY;
}
