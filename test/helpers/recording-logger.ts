import type { LogFields, Logger } from "../../src/log/logger.js";

/** What was logged, in order. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields | undefined;
}

/** A logger that keeps its lines, for tests that look at them. */
export class RecordingLogger implements Logger {
  readonly lines: LogLine[] = [];

  debug(message: string, fields?: LogFields): void {
    this.#add("debug", message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#add("info", message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#add("warn", message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#add("error", message, fields);
  }

  /** The messages of one level, in order. */
  messages(level: keyof Logger): string[] {
    return this.lines.filter((line) => line.level === level).map(({ message }) => message);
  }

  /** Why connections failed, in order. */
  failures(): string[] {
    const failed = this.lines.filter(({ message }) => message === "connection failed");
    return failed.map(({ fields }) => String(fields?.["error"]));
  }

  #add(level: keyof Logger, message: string, fields: LogFields | undefined): void {
    this.lines.push({ level, message, fields });
  }
}
