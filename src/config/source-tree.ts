import type { Node } from "jsonc-parser";
import type { ConfigPath } from "./config-path.js";

/** A piece of the source text, in UTF-16 code units. */
export interface SourceSpan {
  readonly offset: number;
  readonly length: number;
}

/** A key that an object has more than once, at any but its first place. */
export interface RepeatedKey {
  readonly path: ConfigPath;
  readonly span: SourceSpan;
}

/**
 * Turns a tree into the value it stands for. Of a repeated key the last one counts, as in `JSON.parse`.
 *
 * Not `getNodeValue` of jsonc-parser, which assigns: there a key `__proto__` would change the prototype instead of
 * being the unknown key that it is.
 */
export function toValue(node: Node): unknown {
  if (node.type === "array") return childrenOf(node).map(toValue);
  if (node.type === "object") return Object.fromEntries(propertiesOf(node).map(toEntry));
  return node.value;
}

/** Finds where a value stands, or else its nearest owner that exists; with `at: "key"`, where its key stands. */
export function locate(root: Node, path: ConfigPath, at: "key" | "value"): SourceSpan {
  let found = root;
  for (const [index, segment] of path.entries()) {
    const child = typeof segment === "number" ? childrenOf(found)[segment] : lastProperty(found, segment);
    if (child === undefined) break;
    const isEnd = index === path.length - 1;
    const wanted = child.type === "property" ? childrenOf(child)[at === "key" && isEnd ? 0 : 1] : child;
    if (wanted === undefined) break;
    found = wanted;
  }
  return { offset: found.offset, length: found.length };
}

/** Finds keys that are twice in one object, where JSON parsers silently drop a value. */
export function findRepeatedKeys(node: Node, path: ConfigPath = []): readonly RepeatedKey[] {
  if (node.type === "array") {
    return childrenOf(node).flatMap((item, index) => findRepeatedKeys(item, [...path, index]));
  }
  const seen = new Set<string>();
  return propertiesOf(node).flatMap((property) => {
    const key = keyOf(property);
    const [keyNode, valueNode] = childrenOf(property);
    const keyPath = [...path, key];
    const inside = valueNode === undefined ? [] : findRepeatedKeys(valueNode, keyPath);
    if (keyNode === undefined || !seen.has(key)) {
      seen.add(key);
      return inside;
    }
    return [{ path: keyPath, span: { offset: keyNode.offset, length: keyNode.length } }, ...inside];
  });
}

function toEntry(property: Node): [string, unknown] {
  const [, valueNode] = childrenOf(property);
  return [keyOf(property), valueNode === undefined ? undefined : toValue(valueNode)];
}

function childrenOf(node: Node): readonly Node[] {
  return node.children ?? [];
}

function propertiesOf(node: Node): readonly Node[] {
  return node.type === "object" ? childrenOf(node) : [];
}

function lastProperty(node: Node, key: string): Node | undefined {
  return propertiesOf(node).findLast((property) => keyOf(property) === key);
}

function keyOf(property: Node): string {
  return String(childrenOf(property)[0]?.value);
}
