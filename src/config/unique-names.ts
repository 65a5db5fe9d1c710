import { unnamedSecret } from "./api-secrets.js";
import { formatConfigPath, type ConfigPath } from "./config-path.js";
import type { Finding } from "./finding.js";
import { childOf, itemsOf, textAt, type Place } from "./place.js";
import { showValue } from "./shown-value.js";
import { taggedItems, type TaggedItem } from "./tagged-items.js";

/** Finds tags that two inbounds or two outbounds have, the indexes of those without a tag included. */
export function findRepeatedTags(config: Place): readonly Finding[] {
  return [
    ...repeated(taggedItems(config, "inbounds"), ({ tag }) => tag, tagTaken),
    ...repeated(taggedItems(config, "outbounds"), ({ tag }) => tag, tagTaken),
  ];
}

/** Finds user names that are twice in one inbound. In two inbounds they are the same user. */
export function findRepeatedUsers(config: Place): readonly Finding[] {
  return itemsOf(childOf(config, "inbounds")).flatMap((inbound) =>
    repeated(
      itemsOf(childOf(inbound, "users")).map((user) => childOf(user, "username")),
      textAt,
      usernameTaken,
    ),
  );
}

/** Finds secrets of the API that are there twice, or two that have one name. No finding shows one. */
export function findRepeatedSecrets(config: Place): readonly Finding[] {
  const api = childOf(childOf(config, "experimental"), "v2ray_api");
  const unnamed = childOf(api, "secret");
  const named = itemsOf(childOf(api, "secrets"));
  const secrets = [unnamed, ...named.map((item) => childOf(item, "secret"))];
  const names = named.map((item) => ({ place: childOf(item, "name"), owner: item.path }));
  // That without a name goes by that of its key.
  const all = unnamed.value === undefined ? names : [{ place: unnamed, owner: unnamed.path }, ...names];
  return [
    ...repeated(
      all,
      ({ place }) => (place === unnamed ? unnamedSecret : textAt(place)),
      ({ place }, { owner }) => taken(place, "a name", owner),
    ),
    ...repeated(secrets, textAt, (item, first) => taken(item, "a secret", first.path)),
  ];
}

function taken({ path }: Place, what: string, owner: ConfigPath): Finding {
  return {
    path,
    message: `expected ${what} of its own, and not that of ${formatConfigPath(owner)}`,
    at: "value",
  };
}

/** One finding for each item whose name an earlier item has. Empty names are the schema's business. */
function repeated<Item>(
  items: readonly Item[],
  nameOf: (item: Item) => string | undefined,
  toFinding: (item: Item, first: Item, name: string) => Finding,
): readonly Finding[] {
  const firstByName = new Map<string, Item>();
  return items.flatMap((item) => {
    const name = nameOf(item);
    if (name === undefined || name === "") return [];
    const first = firstByName.get(name);
    if (first !== undefined) return [toFinding(item, first, name)];
    firstByName.set(name, item);
    return [];
  });
}

function tagTaken(item: TaggedItem, first: TaggedItem, tag: string): Finding {
  const owner = formatConfigPath(first.place.path);
  if (!item.hasOwnTag) {
    const message = `without a "tag" it is called by its index, ${showValue(tag)}, which is already the tag of ${owner}`;
    return { path: item.place.path, message, at: "value" };
  }
  const reason = first.hasOwnTag ? "" : `, which has no "tag" and is called by its index`;
  return {
    path: [...item.place.path, "tag"],
    message: `expected a tag of its own, got ${showValue(tag)}, already the tag of ${owner}${reason}`,
    at: "value",
  };
}

function usernameTaken(username: Place, first: Place, name: string): Finding {
  const owner = formatConfigPath(first.path.slice(0, -1));
  return {
    path: username.path,
    message: `expected a user name of its own, got ${showValue(name)}, already the name of ${owner}`,
    at: "value",
  };
}
