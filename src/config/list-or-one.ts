import { z } from "zod";

/**
 * A list, or a single item that stands for a list of one, as sing-box allows it everywhere.
 *
 * Not a union: that would report a wrong item as "neither a list nor an item" instead of saying what is wrong with it.
 */
export function listOrOne<Item extends z.ZodType>(item: Item): z.ZodPreprocess<z.ZodArray<Item>> {
  return z.preprocess(toList, z.array(item));
}

function toList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
