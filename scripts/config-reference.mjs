const introduction = `# Configuration

<!-- Made by "npm run generate" from the schema in src/config. -->

A config is a JSON file in sing-box's format; comments and trailing commas are allowed. Wherever a list is expected, a single
item may stand for it. \`v2ray-api check -c FILE\` tells everything that is wrong with a config, with line and column.

For completion and checks while you type, name the [JSON Schema](../config.schema.json) in the first key of the file:
\`"$schema": "./node_modules/v2ray-api/config.schema.json"\`.
`;

/** Writes the reference of a config: a section for each object that can stand in it, each type on its own. */
export function formatConfigReference(schema) {
  return [introduction, ...sectionsOf("", schema).map(formatSection)].join("\n");
}

/** An object schema and those inside it, each path once. */
function sectionsOf(path, schema, seen = new Set()) {
  if (seen.has(path)) return [];
  seen.add(path);
  return [
    { path, schema },
    ...Object.entries(schema.properties).flatMap(([key, property]) => {
      const { item, isList } = itemOf(property);
      const childPath = `${path === "" ? "" : `${path}.`}${key}${isList ? "[]" : ""}`;
      if (item.oneOf !== undefined) {
        return item.oneOf.flatMap((variant) => variantSections(childPath, variant, seen));
      }
      return item.properties === undefined ? [] : sectionsOf(childPath, item, seen);
    }),
  ];
}

/** What stands in a type of something is at the path of every type of it. */
function variantSections(path, variant, seen) {
  const [own, ...inside] = sectionsOf(path, variant, new Set([...seen].filter((known) => known !== path)));
  for (const section of inside) seen.add(section.path);
  return [{ ...own, type: variant.properties.type.const }, ...inside];
}

/** A list shows as a choice between one item and a list of them. */
function itemOf(schema) {
  const [item] = schema.anyOf ?? [];
  return item === undefined ? { item: schema, isList: false } : { item, isList: true };
}

function formatSection({ path, type, schema }) {
  const title = path === "" ? "The file" : `\`${path}\`${type === undefined ? "" : ` of type \`${type}\``}`;
  const rows = Object.entries(schema.properties).map(([key, property]) => [
    `\`${key}\``,
    formatKind(property),
    formatDefault(key, property, schema.required ?? []),
    property.description ?? "",
  ]);
  return [
    `## ${title}\n`,
    ...(schema.description === undefined ? [] : [`${schema.description}\n`]),
    ...formatTable(["key", "value", "default", "meaning"], rows),
    "",
  ].join("\n");
}

function formatKind(schema) {
  const { item, isList } = itemOf(schema);
  if (isList) return `list: ${formatKind(item)}`;
  if (item.const !== undefined) return code(item.const);
  if (item.enum !== undefined) return item.enum.map(code).join(", ");
  return item.type ?? "object";
}

function formatDefault(key, schema, required) {
  if (required.includes(key)) return "required";
  const { default: value } = schema;
  return value === undefined || typeof value === "object" ? "" : code(value);
}

function code(value) {
  return `\`${JSON.stringify(value)}\``;
}

function formatTable(head, rows) {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  return [head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`);
}
