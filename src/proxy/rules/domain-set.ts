import { domainToUnicode } from "node:url";
import { parseDomain, parseDomainKeyword, parseDomainSuffix } from "./domain-pattern.js";

export interface DomainSetOptions {
  /** Names. Default: none. */
  readonly domains?: readonly string[] | undefined;
  /** Names that stand for themselves and all below them; with a dot before them, only for those. Default: none. */
  readonly suffixes?: readonly string[] | undefined;
  /** Parts of names. Default: none. */
  readonly keywords?: readonly string[] | undefined;
}

/**
 * The names that are listed, end in one of some suffixes, or contain one of some keywords.
 *
 * Asking costs a look-up, one more for each dot of the name, and a search for each keyword: domains and suffixes may be
 * any number.
 */
export class DomainSet {
  readonly #names: ReadonlySet<string>;
  /** Each begins with a dot. */
  readonly #endings: ReadonlySet<string>;
  readonly #keywords: readonly string[];

  /** @throws RangeError */
  constructor({ domains = [], suffixes = [], keywords = [] }: DomainSetOptions) {
    const ends = suffixes.map((suffix) => read(suffix, parseDomainSuffix));
    const names = domains.map((domain) => read(domain, parseDomain));
    this.#names = new Set([...names, ...ends.filter((end) => !end.startsWith("."))]);
    this.#endings = new Set(ends.map((end) => (end.startsWith(".") ? end : `.${end}`)));
    this.#keywords = keywords.map((keyword) => read(keyword, parseDomainKeyword));
  }

  /** @param name - As `toRuleHost()` spells it. */
  has(name: string): boolean {
    return this.#names.has(name) || this.#hasEnding(name) || this.#hasKeyword(name);
  }

  #hasEnding(name: string): boolean {
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      if (this.#endings.has(name.slice(dot))) return true;
    }
    return false;
  }

  /** People write a keyword as they read the name, which need not be how it is looked up. */
  #hasKeyword(name: string): boolean {
    if (this.#keywords.length === 0) return false;
    const spellings = name.includes("xn--") ? [name, domainToUnicode(name)] : [name];
    return this.#keywords.some((keyword) => spellings.some((spelling) => spelling.includes(keyword)));
  }
}

function read(text: string, parse: (text: string) => string | undefined): string {
  const pattern = parse(text);
  if (pattern === undefined) throw new RangeError(`expected a domain, got ${JSON.stringify(text)}`);
  return pattern;
}
