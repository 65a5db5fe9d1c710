import { destination as createDestination, pino } from "pino";
import { prettyFactory } from "pino-pretty";
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
  const file = openFile(standardStreams[output] ?? output);
  const toText = format === "json" ? undefined : createTextFormat(standardStreams[output]);
  const stream = toText === undefined ? file : { write: (line: string) => file.write(toText(line)) };
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
      file.end();
    },
  };
}

/** @param descriptor - That of a standard stream, which may be a terminal. */
function createTextFormat(descriptor: 1 | 2 | undefined): (line: string) => string {
  return prettyFactory({
    colorize: descriptor !== undefined && isTerminal(descriptor),
    messageKey: "message",
    singleLine: true,
    // It would give a line of its own to a field of the name `error`.
    errorLikeObjectKeys: [],
    translateTime: "SYS:yyyy-mm-dd HH:MM:ss.l o",
  });
}

/** How much is kept of what could not be written, in characters. What comes beyond is lost. */
const maxUnwritten = 1024 * 1024;

/** Synchronous, so that the last lines before an exit are not lost. */
function openFile(dest: string | number): ReturnType<typeof createDestination> {
  try {
    const file = createDestination({ dest, mkdir: true, sync: true, maxLength: maxUnwritten });
    // The disk is full, or nobody reads any more. It is tried again with the next line.
    file.on("error", ignore);
    return file;
  } catch (error) {
    throw new StartError("log", error);
  }
}

function ignore(): void {
  // There is nowhere to tell it.
}

function isTerminal(descriptor: 1 | 2): boolean {
  return (descriptor === 1 ? process.stdout : process.stderr).isTTY;
}
