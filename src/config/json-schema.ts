import { z } from "zod";
import { configSchema } from "./config.js";
import { listOrOneMark } from "./list-or-one.js";

/**
 * The JSON Schema (draft 2020-12) of a config file, for editors and other checkers.
 *
 * It knows the keys, the types and the defaults. What this package checks beyond them, names that refer to each other
 * above all, only `parseConfig()` knows: whatever that accepts, the schema accepts.
 */
export function createConfigJsonSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(configSchema, {
    // What people write, not what becomes of it.
    io: "input",
    override: ({ jsonSchema }) => {
      if (jsonSchema[listOrOneMark] === true) allowOne(jsonSchema);
    },
  });
  return { ...schema, title: "Config of v2ray-api" };
}

/** Makes of `{ type: "array", items }` a choice between that and a single item. */
function allowOne(schema: z.core.JSONSchema.BaseSchema): void {
  const { items } = schema;
  if (typeof items !== "object" || Array.isArray(items))
    throw new TypeError("a list in the schema has no items");
  Reflect.deleteProperty(schema, listOrOneMark);
  delete schema.type;
  delete schema.items;
  schema.anyOf = [items, { type: "array", items }];
}
