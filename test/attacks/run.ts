import { setMaxListeners } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import { performance } from "node:perf_hooks";
import { paths } from "../helpers/api-server.js";
import { sendHttp1, sendOnSession, type HttpRequest } from "../helpers/raw-http.js";
import { withTimeout } from "../helpers/timing.js";
import type { AttackedServer } from "./attacked-server.js";
import { Attacker } from "./attacker.js";
import type { Attack } from "./attacks.js";
import type { AttackReport } from "./report.js";
import { Tunnel } from "./tunnel.js";

export interface AttackOptions {
  /** How long it goes on, and longer until there are enough good calls, in milliseconds. */
  readonly durationMs: number;
  /** How much of everything: 1 is all of it. */
  readonly scale: number;
  /** So many rounds of good calls come first, where figures are not to be those of a server that has just started. Default: 1. */
  readonly warmUpCount?: number;
}

/** What came of an attack. */
export interface AttackResult {
  readonly name: string;
  readonly report: AttackReport;
  /** Calls of others that were answered meanwhile. There is an error if one was not. */
  readonly goodCount: number;
  /** The longest that one of them took. */
  readonly slowestMs: number;
}

const leastGoodCount = 5;
const answerTimeoutMs = 20_000;
const headers = { "content-type": "application/json" };
const goodCalls: readonly HttpRequest[] = [
  { path: paths.getStats, headers, body: '{"name":"user>>>user-1@example.com>>>traffic>>>uplink"}' },
  { path: paths.getSysStats, headers, body: "{}" },
  { path: paths.queryStats, headers, body: '{"patterns":["user-77"]}' },
];

/** Attacks a server, while others call it on connections that they have, and on new ones, and a transfer runs through the proxy. */
export async function carryOut(
  attack: Attack,
  server: AttackedServer,
  { durationMs, scale, warmUpCount = 1 }: AttackOptions,
): Promise<AttackResult> {
  const { port, proxyPort } = server;
  const tunnel = await Tunnel.open(proxyPort);
  const session = connect(`http://127.0.0.1:${port}`);
  // Whoever calls on it learns of it.
  session.on("error", () => undefined);
  const over = new AbortController();
  // Whatever the attack has open listens.
  setMaxListeners(0, over.signal);
  try {
    await callMany(port, session, warmUpCount);
    await server.begin();
    const attacker = new Attacker(port, over.signal, scale);
    const attacking = attack.carryOut(attacker);
    const startedAtMs = performance.now();
    let goodCount = 0;
    let slowestMs = 0;
    while (goodCount < leastGoodCount || performance.now() - startedAtMs < durationMs) {
      const calledAtMs = performance.now();
      goodCount += await callMany(port, session, 1);
      await withTimeout(tunnel.exchange(), answerTimeoutMs, "what was sent through the proxy");
      slowestMs = Math.max(slowestMs, performance.now() - calledAtMs);
      await attacker.rest(20);
    }
    const report = await server.report();
    over.abort();
    await attacking;
    return { name: attack.name, report, goodCount, slowestMs };
  } finally {
    over.abort();
    session.destroy();
    tunnel[Symbol.dispose]();
  }
}

/** @returns how many calls were answered well: all of them. */
async function callMany(port: number, session: ClientHttp2Session, rounds: number): Promise<number> {
  for (let round = 0; round < rounds; round++) {
    for (const call of goodCalls) {
      const answers = Promise.all([sendHttp1(port, call), sendOnSession(session, call)]);
      for (const { status } of await withTimeout(answers, answerTimeoutMs, `an answer at ${call.path}`)) {
        if (status !== 200) throw new Error(`${call.path} is answered with ${status}`);
      }
    }
  }
  return rounds;
}
