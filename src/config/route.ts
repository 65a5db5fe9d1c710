import type { z } from "zod";
import { textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { ruleSchema } from "./rules.js";
import { section } from "./section.js";

/** The section `route`: which outbound a connection takes. */
export type RouteConfig = z.output<typeof routeSchema>;

/** Checks the section `route`. It may be missing as a whole. */
export const routeSchema = section({
  rules: listOrOne(ruleSchema).default([]).describe("The first rule that matches a connection decides."),
  final: textField(
    "The outbound for connections that no rule matches. Default: the first outbound.",
    "the tag of an outbound",
  ).optional(),
})
  .prefault({})
  .describe("Which outbound a connection takes.");
