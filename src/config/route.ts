import type { z } from "zod";
import { textField } from "./fields.js";
import { section } from "./section.js";

/** The section `route`: which outbound a connection takes. */
export type RouteConfig = z.output<typeof routeSchema>;

/** Checks the section `route`. It may be missing as a whole. */
export const routeSchema = section({
  /** The tag of the outbound for everything. Default: the first outbound. */
  final: textField("the tag of an outbound").optional(),
}).prefault({});
