import type { Outbound } from "./outbound.js";
import type { Rule } from "./rules/rule.js";
import type { RouteFacts } from "./rules/rule-matcher.js";

/** Where a connection leaves, and what chose that in words for a log line: a rule, or `final`. */
export interface ChosenRoute {
  readonly outbound: Outbound;
  readonly rule: string;
}

export interface RoutesOptions {
  /** The first one that matches decides. Default: none. */
  readonly rules?: readonly Rule[];
  /** Where a connection leaves when no rule says otherwise. */
  readonly final: Outbound;
}

/** The rules, and what holds where none of them matches. */
export class Routes {
  readonly #rules: readonly Rule[];
  readonly #final: Outbound;

  constructor({ rules = [], final }: RoutesOptions) {
    this.#rules = rules;
    this.#final = final;
  }

  choose(facts: RouteFacts): ChosenRoute {
    const index = this.#rules.findIndex((rule) => rule.matches(facts));
    const chosen = this.#rules[index];
    if (chosen === undefined) return { outbound: this.#final, rule: "final" };
    return { outbound: chosen.outbound, rule: `rules[${index}]` };
  }
}
