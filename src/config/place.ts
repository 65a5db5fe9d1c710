import type { ConfigPath } from "./config-path.js";

/**
 * A value of a config as it was written, and its path.
 *
 * The cross-checks walk by these instead of reading the schema's output, which does not exist as long as anything else
 * is wrong. Nothing here throws: what is not there, or is something else than expected, is `undefined`.
 */
export interface Place {
  readonly path: ConfigPath;
  readonly value: unknown;
}

/** What an object holds under a key; a place with the value `undefined` if there is no object or no such key. */
export function childOf({ path, value }: Place, key: string): Place {
  const child: unknown = isObject(value) && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  return { path: [...path, key], value: child };
}

/** The items of a list. A single item stands for a list of one and keeps its path; a missing list is empty. */
export function itemsOf(place: Place): readonly Place[] {
  const { path, value } = place;
  if (value === undefined) return [];
  if (!Array.isArray(value)) return [place];
  return value.map((item: unknown, index) => ({ path: [...path, index], value: item }));
}

/** The string at a place, if there is one. */
export function textAt({ value }: Place): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/**
 * Finds the place that the schema means.
 *
 * The schema sees lists everywhere, so its path has an index where the writer gave a single item; that index is left
 * out.
 */
export function placeOf(root: Place, schemaPath: readonly PropertyKey[]): Place {
  return schemaPath.reduce<Place>((place, segment) => {
    if (typeof segment !== "number") return childOf(place, String(segment));
    if (!Array.isArray(place.value)) return place;
    return { path: [...place.path, segment], value: place.value[segment] };
  }, root);
}

/** Whether a value is an object with keys, as opposed to a list, `null` or a primitive. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
