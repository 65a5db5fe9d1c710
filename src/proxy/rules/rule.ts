import type { BlockOutbound, Outbound } from "../outbound.js";
import { createRuleMatcher, type RuleConditions, type RouteFacts, type RuleMatcher } from "./rule-matcher.js";

/** Where the connections of a rule end that rejects them. No config has it; log lines call it by the action's name. */
export const rejectOutbound: BlockOutbound = { tag: "reject", blocks: true };

export interface RuleOptions extends RuleConditions {
  /** Where connections that match leave, or {@link rejectOutbound}. */
  readonly outbound: Outbound;
}

/** Sends connections that match everything it names to an outbound. */
export class Rule {
  readonly outbound: Outbound;
  readonly #matches: RuleMatcher;

  /** @throws RangeError where a condition is malformed. */
  constructor({ outbound, ...conditions }: RuleOptions) {
    this.outbound = outbound;
    this.#matches = createRuleMatcher(conditions);
  }

  matches(facts: RouteFacts): boolean {
    return this.#matches(facts);
  }
}
