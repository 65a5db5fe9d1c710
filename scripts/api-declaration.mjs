import { ReflectionKind } from "typedoc";

/** Writes an export as its declaration, without bodies and what is private. */
export function formatDeclaration(reflection) {
  const { name, kind, type } = reflection;
  switch (kind) {
    case ReflectionKind.Function:
      return reflection.signatures.map((signature) => `function ${formatSignature(signature)};`).join("\n");
    case ReflectionKind.Variable:
      return `const ${name}: ${type};`;
    case ReflectionKind.TypeAlias:
      return `type ${name} = ${type};`;
    case ReflectionKind.Class:
    case ReflectionKind.Interface: {
      const keyword = ReflectionKind.singularString(kind).toLowerCase();
      const members = membersOf(reflection).flatMap(formatMember);
      const body = members.length === 0 ? " … " : `\n${members.map((line) => `  ${line}\n`).join("")}`;
      return `${keyword} ${name}${formatHeritage(reflection)} {${body}}`;
    }
    default:
      throw new TypeError(`${name}: ${ReflectionKind.singularString(kind)} has no form here`);
  }
}

/** What of a class or an interface is told with it: not what is told with what it extends. The constructor is first. */
export function membersOf({ kind: ownerKind, children = [], extendedTypes = [] }) {
  // The members of a type that zod infers are those of a schema, which docs/configuration.md tells.
  if (extendedTypes.some((type) => type.package === "zod")) return [];
  const own = children.filter(({ inheritedFrom, overwrites }) => {
    if (isExternal(overwrites)) return false;
    // What an interface has from a type like Omit is told nowhere else.
    return (
      inheritedFrom === undefined || (ownerKind === ReflectionKind.Interface && isExternal(inheritedFrom))
    );
  });
  const isConstructor = ({ kind }) => kind === ReflectionKind.Constructor;
  return [...own.filter(isConstructor), ...own.filter((member) => !isConstructor(member))];
}

/** A member as it is written to use it: `start()`, `[Symbol.asyncDispose]()`, `value`. */
export function formatMemberName({ name, kind, parent }) {
  if (kind === ReflectionKind.Constructor) return `new ${parent.name}()`;
  return kind === ReflectionKind.Method ? `${propertyName(name)}()` : name;
}

/** Where the comment of a reflection is, and its parameters: functions, methods and accessors have them on a signature. */
export function signatureOf(reflection) {
  const { signatures, getSignature } = reflection;
  return signatures?.[0] ?? getSignature ?? reflection;
}

/** The name of a parameter. One that is taken apart in the source has none: it gets that of its type's last word. */
export function parameterName({ name, type }) {
  if (name !== "__namedParameters") return name;
  return (/[A-Z][a-z]*$/.exec(type.name)?.[0] ?? "options").toLowerCase();
}

function formatMember(member) {
  const { name, flags, signatures, type = member.getSignature?.type } = member;
  const mark = flags.isOptional ? "?" : "";
  if (signatures) return signatures.map((signature) => `${formatSignature(signature, mark)};`);
  const readonly = flags.isReadonly || (member.getSignature && !member.setSignature) ? "readonly " : "";
  return [`${readonly}${name}${mark}: ${type};`];
}

/** @param mark - Behind the name: `?` for a method that need not be there. */
function formatSignature({ name, kind, typeParameters, parameters = [], type }, mark = "") {
  const list = parameters.map((parameter) => {
    const optional = parameter.flags.isOptional || parameter.defaultValue !== undefined ? "?" : "";
    return `${parameter.flags.isRest ? "..." : ""}${parameterName(parameter)}${optional}: ${parameter.type}`;
  });
  if (kind === ReflectionKind.ConstructorSignature) return `constructor(${list.join(", ")})`;
  const generics = typeParameters?.map(({ name: own, type: bound }) => `${own} extends ${bound}`).join(", ");
  return `${propertyName(name)}${mark}${generics ? `<${generics}>` : ""}(${list.join(", ")}): ${type}`;
}

/** What a class or an interface extends and implements, as far as a reader can look it up. */
function formatHeritage({ kind, extendedTypes = [], implementedTypes = [] }) {
  const known = extendedTypes.filter(
    (type) => type.reflection !== undefined || kind === ReflectionKind.Class,
  );
  return [
    ["extends", known],
    ["implements", implementedTypes],
  ]
    .filter(([, types]) => types.length > 0)
    .map(([keyword, types]) => ` ${keyword} ${types.join(", ")}`)
    .join("");
}

function isExternal(reference) {
  return reference !== undefined && reference.reflection === undefined;
}

/** TypeDoc writes the key of a well-known symbol as `[asyncDispose]`. */
function propertyName(name) {
  return name.replace(/^\[/, "[Symbol.");
}
