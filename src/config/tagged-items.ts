import { childOf, isObject, itemsOf, textAt, type Place } from "./place.js";
import { indexTag } from "./tag.js";

/** An inbound or outbound and the tag by which it is known. */
export interface TaggedItem {
  readonly place: Place;
  /** `undefined` if it cannot be told, because something else is wrong. */
  readonly tag: string | undefined;
  /** Whether the tag stands in the config; otherwise it is the item's index. */
  readonly hasOwnTag: boolean;
}

/** Reads the tags of a section as far as they can be read. */
export function taggedItems(config: Place, section: "inbounds" | "outbounds"): readonly TaggedItem[] {
  return itemsOf(childOf(config, section)).map((place, index) => {
    const tag = childOf(place, "tag");
    if (!isObject(place.value)) return { place, tag: undefined, hasOwnTag: false };
    if (tag.value === undefined) return { place, tag: indexTag(index), hasOwnTag: false };
    return { place, tag: textAt(tag), hasOwnTag: true };
  });
}
