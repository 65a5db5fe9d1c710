import type { RouteFacts } from "../../src/proxy/rules/rule-matcher.js";

/** The facts of a connection; those that a test does not care about are of alice's, over TCP, from 192.0.2.7. */
export interface FactsOptions {
  readonly inbound?: string;
  readonly user?: string | undefined;
  readonly network?: RouteFacts["network"];
  readonly from?: string;
  readonly host?: string;
  readonly port?: number;
}

/** What rules are asked about. */
export function factsOf(options: FactsOptions = {}): RouteFacts {
  const {
    inbound = "in",
    network = "tcp",
    from = "192.0.2.7",
    host = "www.example.com",
    port = 443,
  } = options;
  return {
    inbound,
    user: "user" in options ? options.user : "alice",
    network,
    source: { host: from, port: 50_000 },
    destination: { host, port },
  };
}
