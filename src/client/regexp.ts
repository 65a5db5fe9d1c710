import { RE2JS, RE2JSException } from "re2js";
import type { RegexpCompiler } from "../stats/matcher.js";
import { ClientError } from "./client-error.js";

/**
 * Compiles an expression in the syntax that the servers of the family know, RE2's, so that one means the same whoever
 * matches it.
 *
 * @throws ClientError `bad_regexp`
 */
export const compileRegexp: RegexpCompiler = (pattern) => {
  try {
    const compiled = RE2JS.compile(pattern);
    return (name) => compiled.test(name);
  } catch (cause) {
    if (!(cause instanceof RE2JSException)) throw cause;
    const message = `bad regular expression ${JSON.stringify(pattern)}: ${cause.message}`;
    throw new ClientError("bad_regexp", message, { cause });
  }
};
