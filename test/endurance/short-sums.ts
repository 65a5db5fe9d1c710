import type { Facts } from "./facts.js";
import type { ProcessReport } from "./process-report.js";
import { countedBy } from "./run.js";
import type { ShortExchange } from "./short-exchange.js";
import { users } from "./users.js";

/** By how much a head that the proxy writes anew may be longer than it was. */
const maxHeadGrowthBytes = 100;

/** What many exchanges have moved together, as their ends have seen it. */
export class ShortSums {
  /** Those whose ends may still have a last word to hear. */
  readonly #newest: ShortExchange[] = [];
  readonly #whole = { up: 0, down: 0 };
  readonly #cut = { atLeastUp: 0, atMostUp: 0, atMostDown: 0 };

  add(exchange: ShortExchange): void {
    this.#newest.push(exchange);
  }

  /** Compares the counters with what the exchanges moved; nothing of them is under way any more. */
  check(facts: Facts, report: ProcessReport): void {
    for (const exchange of this.#newest.splice(0)) this.#sumUp(exchange);
    const counted = (user: keyof typeof users) => ({
      up: countedBy(report, "user", "uplink", users[user].username),
      down: countedBy(report, "user", "downlink", users[user].username),
    });
    facts.equal("counted for connections that came to their end", counted("whole"), this.#whole);
    facts.equal("counted for connections that never stood", counted("barred"), { up: 0, down: 0 });
    const { atLeastUp, atMostUp, atMostDown } = this.#cut;
    const { up, down } = counted("cut");
    facts.between("uplink of connections that were cut", up, atLeastUp, atMostUp);
    facts.between("downlink of connections that were cut", down, 0, atMostDown);
  }

  #sumUp({ plan, ...moved }: ShortExchange): void {
    switch (plan.fate) {
      case "whole":
        this.#whole.up += moved.originReceivedBytes;
        this.#whole.down += moved.originSentBytes;
        return;
      case "client cuts":
      case "origin cuts":
        this.#cut.atLeastUp += moved.originReceivedBytes;
        this.#cut.atMostUp += moved.clientSentBytes + maxHeadGrowthBytes;
        this.#cut.atMostDown += moved.originSentBytes;
        return;
      default:
    }
  }
}
