import { createServer } from "node:net";
import type { TestContext } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { connectTo } from "./proxy.js";
import type { RoutedApp } from "./routed-app.js";
import { listen } from "./sockets.js";
import { askSocks5 } from "./socks5-client.js";
import { closed } from "./timing.js";

export interface RoutedOutcomeOptions {
  readonly inbound?: string;
  readonly user?: User | undefined;
  /** What the client calls the destination, which is at 127.0.0.1. */
  readonly host?: string;
}

/** A connection over SOCKS5 that moves 3 bytes up and 5 down if it may, and what became of it. The app is stopped. */
export async function outcomeOf(
  t: TestContext,
  { app, logger, proxyOf }: RoutedApp,
  { inbound = "open", user, host = "127.0.0.1" }: RoutedOutcomeOptions = {},
) {
  const server = createServer((socket) => socket.resume().end("hello"));
  const { port } = await listen(t, server);
  const client = await connectTo(t, proxyOf(inbound));
  const { reply } = await askSocks5(client, { host, port }, user);
  client.resume().end("abc");
  await closed(client);
  await app.stop(new AbortController().signal);
  const counters = [...app.store.query((name) => name.startsWith("outbound>>>"))];
  const [line] = logger.lines.filter(({ level }) => level === "info");
  return {
    reply,
    outbound: line?.fields?.["outbound"],
    rule: line?.fields?.["rule"],
    counted: counters.map(({ name, counter }) => `${name} ${counter.value}`),
  };
}

/** What such a connection leaves in the counters of an outbound. */
export function countedFor(outbound: string): readonly string[] {
  return [`outbound>>>${outbound}>>>traffic>>>uplink 3`, `outbound>>>${outbound}>>>traffic>>>downlink 5`];
}
