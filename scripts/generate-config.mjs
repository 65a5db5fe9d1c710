// Writes what is made of the config's schema: config.schema.json for editors, docs/configuration.md for people.
import { mkdirSync, writeFileSync } from "node:fs";
import { createConfigJsonSchema } from "../dist/config/json-schema.js";
import { formatConfigReference } from "./config-reference.mjs";

const schema = createConfigJsonSchema();
writeFileSync("config.schema.json", `${JSON.stringify(schema, undefined, 2)}\n`);
mkdirSync("docs", { recursive: true });
writeFileSync("docs/configuration.md", formatConfigReference(schema));
