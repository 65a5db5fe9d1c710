import type { z } from "zod";
import { isTag, statNameSeparator } from "../stats/stat-name.js";
import { textField } from "./fields.js";

/**
 * The name of an inbound or outbound, by which routes and counters refer to it. Default: its index in the list, in
 * decimal.
 */
export function tagField(): z.ZodOptional<z.ZodString> {
  return textField(
    "The name by which routes and counters refer to it. Default: its index in the list.",
    `a tag that is not empty, does not contain "${statNameSeparator}" and does not end with ">"`,
    (tag) => tag !== "" && isTag(tag),
  ).optional();
}

/** The tag of an inbound or outbound that has none of its own. */
export function indexTag(index: number): string {
  return String(index);
}
