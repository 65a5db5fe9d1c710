import sonicBoom from "sonic-boom";
import { logLevels, type LogConfig } from "../config/log.js";
import { silentLogger, StartError, type LogFields, type Logger } from "../index.js";
import { formatJsonLine, formatTextLine, type LineLevel, type LogLine } from "./log-line.js";

/** Names of the standard streams in a config, and their descriptors. */
const standardStreams: Readonly<Partial<Record<string, 1 | 2>>> = { stdout: 1, stderr: 2 };

/** A logger that lets go of its file when it is not needed any more. */
export interface ClosableLogger extends Logger {
  /** Nothing may be logged from here on. */
  close(): void;
}

/**
 * The logger that a config's section `log` describes: readable lines or JSON.
 *
 * @throws StartError if the file cannot be opened.
 */
export function createLogger({ disabled, level, output, format, timestamp }: LogConfig): ClosableLogger {
  if (disabled) return { ...silentLogger, close: () => undefined };
  const descriptor = standardStreams[output];
  const file = new LogFile(descriptor ?? output);
  const isColored = format === "text" && descriptor !== undefined && isTerminal(descriptor);
  const toText = format === "json" ? formatJsonLine : (line: LogLine) => formatTextLine(line, isColored);
  const least = logLevels.indexOf(level);
  const write =
    (own: LineLevel) =>
    (message: string, fields: LogFields = {}): void => {
      if (logLevels.indexOf(own) < least) return;
      file.write(toText({ level: own, message, fields, time: timestamp ? new Date() : undefined }));
    };
  return {
    ...{ debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") },
    close: () => {
      file.close();
    },
  };
}

/** How much is kept of what could not be written, in characters. What comes beyond is lost. */
const maxUnwritten = 1024 * 1024;

/** Where lines are written. Synchronous, so that the last ones before an exit are not lost. */
class LogFile {
  readonly #stream: sonicBoom.SonicBoom;
  #isBroken = false;

  /** @throws StartError if it cannot be opened. */
  constructor(dest: string | number) {
    try {
      this.#stream = new sonicBoom.SonicBoom({ dest, mkdir: true, sync: true, maxLength: maxUnwritten });
    } catch (error) {
      throw new StartError("log", error);
    }
    // There is nowhere to tell it. A full disk is tried again with the next line; who reads no more does not come back.
    this.#stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#isBroken ||= error.code === "EPIPE";
    });
  }

  write(line: string): void {
    if (!this.#isBroken) this.#stream.write(line);
  }

  close(): void {
    if (!this.#isBroken) this.#stream.end();
  }
}

function isTerminal(descriptor: 1 | 2): boolean {
  return (descriptor === 1 ? process.stdout : process.stderr).isTTY;
}
