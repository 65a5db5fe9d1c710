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

/** The rules, and what holds where none of them matches. Others can take their place while they are in use. */
export class Routes {
  #rules: readonly Rule[];
  #final: Outbound;
  #revision = 0;

  constructor({ rules = [], final }: RoutesOptions) {
    this.#rules = rules;
    this.#final = final;
  }

  /** Grows whenever others take the place of the rules: who has kept an earlier choice asks again. */
  get revision(): number {
    return this.#revision;
  }

  /** Puts other rules into the place of these, for all that is chosen from here on. */
  replaceBy({ rules = [], final }: RoutesOptions): void {
    this.#rules = rules;
    this.#final = final;
    this.#revision += 1;
  }

  /** Whether any connection can leave there. */
  leadTo(outbound: Outbound): boolean {
    return outbound === this.#final || this.#rules.some((rule) => rule.outbound === outbound);
  }

  choose(facts: RouteFacts): ChosenRoute {
    const index = this.#rules.findIndex((rule) => rule.matches(facts));
    const chosen = this.#rules[index];
    if (chosen === undefined) return { outbound: this.#final, rule: "final" };
    return { outbound: chosen.outbound, rule: `rules[${index}]` };
  }
}
