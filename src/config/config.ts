import type { z } from "zod";
import { textField } from "./fields.js";
import { inboundsSchema } from "./inbounds.js";
import { limitsSchema } from "./limits.js";
import { logSchema } from "./log.js";
import { outboundsSchema } from "./outbounds.js";
import { routeSchema } from "./route.js";
import { section } from "./section.js";
import { timeoutsSchema } from "./timeouts.js";
import { v2rayApiSchema } from "./v2ray-api.js";

/**
 * A whole config: sing-box's sections and names as far as this package has them, all defaults filled in and everything
 * checked. Its members are the keys that [docs/configuration.md](../../docs/configuration.md) tells, where a
 * list is always a list.
 *
 * `readConfig()`, `parseConfig()` and `toConfig()` make one.
 */
// An interface, for its name: the bare type would be written out wherever it is used.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Config extends z.output<typeof configSchema> {}

/**
 * Checks one value after the other and fills in the defaults.
 *
 * What a value says about another one (names that must be unique, names that must exist) is not its business: see
 * `check-config.ts`.
 */
export const configSchema = section({
  $schema: textField(
    "The JSON Schema of this file, for editors. Otherwise ignored.",
    "a URL or path",
  ).optional(),
  log: logSchema,
  inbounds: inboundsSchema,
  outbounds: outboundsSchema,
  route: routeSchema,
  experimental: section({ v2ray_api: v2rayApiSchema, limits: limitsSchema, timeouts: timeoutsSchema })
    .prefault({})
    .describe(
      "Named as in sing-box, where the API is an experimental feature; `limits` and `timeouts` are additions to it.",
    ),
});
