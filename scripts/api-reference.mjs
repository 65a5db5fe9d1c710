import { ReflectionKind } from "typedoc";
import {
  formatDeclaration,
  formatMemberName,
  membersOf,
  parameterName,
  signatureOf,
} from "./api-declaration.mjs";

const mark = '<!-- Made by "npm run generate" from the doc comments in src. -->';

/**
 * Writes a page for each entry point, and an index of them.
 *
 * What several entry points export is told on the page of one of them, and the others link there.
 *
 * @param modules - TypeDoc's reflections of the entry points, in the order of the index.
 * @returns the texts by file name.
 */
export function formatApiReference(modules) {
  const entries = modules.map((module) => formatEntry(module, pageName(module), module));
  const index = ["# API reference", mark, "What the entry points of the package export.", entries.join("\n")];
  return new Map([
    ["README.md", joinParagraphs(index)],
    ...modules.map((module) => [pageName(module), formatPage(module)]),
  ]);
}

/** What keeps the pages from telling everything: exports and members without a doc comment, and tags that are not known. */
export function findFaults(modules) {
  return modules
    .flatMap((module) => [module, ...module.children.filter((child) => !child.isReference())])
    .flatMap((told) => [told, ...(told.kind === ReflectionKind.Module ? [] : membersOf(told))])
    .flatMap((told) => [
      ...(isDocumented(told) ? [] : [`${told.getFullName()} has no doc comment`]),
      ...unknownTagsOf(told).map((tag) => `${told.getFullName()}: ${tag} is not written anywhere`),
    ]);
}

function unknownTagsOf(reflection) {
  const { blockTags = [] } = signatureOf(reflection).comment ?? {};
  return blockTags.map(({ tag }) => tag).filter((tag) => tag !== "@returns" && tag !== "@throws");
}

function isDocumented(reflection) {
  // What there is to say of a constructor without parameters, its class says.
  if (reflection.kind === ReflectionKind.Constructor && !signatureOf(reflection).parameters?.length)
    return true;
  return (signatureOf(reflection).comment?.summary ?? []).length > 0;
}

function formatPage(module) {
  const exported = exportsOf(module);
  const entries = exported.map(toldAs).map((told) => formatEntry(told, urlOf(told, module), module));
  return joinParagraphs([
    `# ${module.name}`,
    mark,
    ...formatComment(module, module),
    entries.join("\n"),
    ...exported.filter((child) => !child.isReference()).flatMap((child) => formatExport(child, module)),
  ]);
}

/** A line of a list of contents: the name, and the first sentence of the doc comment. */
function formatEntry(reflection, url, page) {
  const [text = ""] = formatComment(reflection, page);
  const [sentence] = text.split(/(?<=\.)\s/, 1);
  return formatItem(`[\`${reflection.name}\`](${url})`, [oneLine(sentence)]);
}

function formatExport(reflection, page) {
  const members = membersOf(reflection)
    .filter((member) => signatureOf(member).comment !== undefined)
    .map((member) => formatItem(`\`${formatMemberName(member)}\``, formatComment(member, page)));
  return [
    `## ${reflection.name}`,
    `\`\`\`ts\n${formatDeclaration(reflection)}\n\`\`\``,
    ...formatComment(reflection, page),
    members.join("\n"),
  ];
}

/** What the doc comment says, in paragraphs. */
function formatComment(reflection, page) {
  const { comment, parameters = [] } = signatureOf(reflection);
  const tagged = (name) =>
    (comment?.blockTags ?? [])
      .filter(({ tag }) => tag === name)
      .map(({ content }) => formatParts(content, reflection, page));
  const described = parameters
    .filter((parameter) => parameter.comment !== undefined)
    .map((parameter) =>
      formatItem(`\`${parameterName(parameter)}\``, [
        formatParts(parameter.comment.summary, reflection, page),
      ]),
    );
  return [
    ...formatParts(comment?.summary ?? [], reflection, page).split(/\n{2,}/),
    described.join("\n"),
    ...tagged("@returns").map((text) => `Returns ${text}`),
    ...tagged("@throws").map(
      (text) => `Throws ${text.replace(/^\w+Error\b/, (name) => formatName(name, page))}`,
    ),
  ].filter((text) => text !== "");
}

function formatItem(name, [first = "", ...rest]) {
  const indented = rest.map((text) => `\n\n${text.replace(/^/gm, "  ")}`);
  return `- ${name}: ${oneLine(first)}${indented.join("")}`;
}

/** A name in a text, with a link to it if the page knows it. */
function formatName(name, page) {
  const exported = page.children.find((child) => child.name === name);
  if (exported === undefined) return `\`${name}\``;
  return `[\`${name}\`](${urlOf(toldAs(exported), page)})`;
}

/** The text of a comment. A link within an export, whose members have no headings, is only its name. */
function formatParts(parts, from, page) {
  return parts
    .map(({ kind, text, target }) => {
      if (kind !== "inline-tag") return text;
      const told = target && exportOf(target);
      // TypeDoc has complained of a link that leads nowhere.
      return !told || told === exportOf(from) ? `\`${text}\`` : `[\`${text}\`](${urlOf(told, page)})`;
    })
    .join("")
    .trim();
}

/** The exports of an entry point from A to Z. */
function exportsOf(module) {
  const sortKey = ({ name }) => `${name.toLowerCase()} ${name}`;
  return module.children.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
}

/** What an export is: another page may tell it. */
function toldAs(exported) {
  return exported.isReference() ? exported.getTargetReflectionDeep() : exported;
}

/** Where an export is told. Forges number the headings that differ only in case. */
function urlOf(told, page) {
  const slug = told.name.toLowerCase();
  const index = exportsOf(told.parent)
    .filter((child) => !child.isReference() && child.name.toLowerCase() === slug)
    .indexOf(told);
  return `${told.parent === page ? "" : pageName(told.parent)}#${slug}${index > 0 ? `-${index}` : ""}`;
}

/** The export that a reflection is, or is a member of. */
function exportOf(reflection) {
  const { parent, kind } = reflection;
  return kind === ReflectionKind.Module || parent.kind === ReflectionKind.Module
    ? reflection
    : exportOf(parent);
}

/** `stats.md` for `v2ray-api/stats`. */
function pageName({ name }) {
  return `${name.split("/").at(-1)}.md`;
}

function oneLine(text) {
  return text.replaceAll(/\s*\n\s*/g, " ");
}

function joinParagraphs(texts) {
  return `${texts.filter((text) => text !== "").join("\n\n")}\n`;
}
