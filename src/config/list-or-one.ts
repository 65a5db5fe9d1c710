import { z } from "zod";

/** Says in a JSON Schema, until it is exported, that a single item may stand for the list. */
export const listOrOneMark = "x-list-or-one";

/**
 * A list, or a single item that stands for a list of one, as sing-box allows it everywhere.
 *
 * Not a union: that would report a wrong item as "neither a list nor an item" instead of saying what is wrong with it.
 */
export function listOrOne<Item extends z.ZodType>(item: Item): z.ZodPreprocess<z.ZodArray<Item>> {
  return z.preprocess(toList, z.array(item).meta({ [listOrOneMark]: true }));
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
