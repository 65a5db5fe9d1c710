import { z } from "zod";
import { textField } from "./fields.js";
import { listOrOne } from "./list-or-one.js";
import { section } from "./section.js";

/** The section `route`: which outbound a connection takes. */
export type RouteConfig = z.output<typeof routeSchema>;

/** Names of which one has to fit. */
function condition(about: string, expected: string) {
  return listOrOne(textField(about, expected))
    .refine((names) => names.length > 0, { error: "at least one name" })
    .optional()
    .describe(`${about} Expected: ${expected}.`);
}

const ruleSchema = section({
  inbound: condition("The connection entered by one of these inbounds.", "the tag of an inbound"),
  auth_user: condition("The client logged in as one of these users.", "a user name of some inbound"),
  action: z
    .literal("route", { error: '"route"' })
    .default("route")
    .describe("What the rule does; sing-box has others."),
  outbound: textField("Where connections that match leave.", "the tag of an outbound"),
})
  .refine(({ inbound, auth_user: user }) => inbound !== undefined || user !== undefined, {
    error: 'a condition: "inbound" or "auth_user"',
    // Also where something else is wrong with it.
    when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value),
  })
  .describe("Sends connections that meet all of its conditions, of which it needs one, to an outbound.");

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
