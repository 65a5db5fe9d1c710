import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  assertCounters,
  expectedCounters,
  queryCounters,
  serviceNames,
  sumCounters,
  type Counters,
} from "../helpers/api-client.js";
import { startCli, testConfig, type Cli } from "../helpers/cli.js";
import { askThrough } from "../helpers/cli-traffic.js";
import { fileOfModule } from "../helpers/import-map.js";
import { openOrigin } from "../helpers/open-origin.js";
import { needs } from "../helpers/outside-client.js";
import type { PageCall, PageCalls, PageProtocol } from "../helpers/page-calls.js";
import { startPageSite, type PageSite } from "../helpers/page-site.js";

const io = { timeout: 90_000 };

/** A way in which a page talks to the API. */
interface Way extends PageProtocol {
  readonly title: string;
  /** Of what is sent with POST. */
  readonly contentType: string;
}

const grpcWeb = { protocol: "grpc-web" } as const;
const connect = { protocol: "connect" } as const;
const connectGet = { protocol: "connect", useHttpGet: true } as const;
const json = { useBinaryFormat: false };
const binary = { useBinaryFormat: true };

const ways: readonly Way[] = [
  { title: "gRPC-Web", contentType: "application/grpc-web+proto", ...grpcWeb, ...binary },
  { title: "gRPC-Web with JSON", contentType: "application/grpc-web+json", ...grpcWeb, ...json },
  { title: "Connect", contentType: "application/proto", ...connect, ...binary },
  { title: "Connect with JSON", contentType: "application/json", ...connect, ...json },
  { title: "Connect with GET", contentType: "application/proto", ...connectGet, ...binary },
  { title: "Connect with GET and JSON", contentType: "application/json", ...connectGet, ...json },
];

/** One for each way, so that none resets what another one is to read. */
const users = ways.map((_, index) => `user-${index}`);

function callsAbout(user: string): readonly PageCall[] {
  const patterns = [`user>>>${user}>>>`];
  return [
    { method: "getSysStats", request: {} },
    { method: "getStats", request: { name: `user>>>${user}>>>traffic>>>downlink` } },
    { method: "getStats", request: { name: "Ünknown %20" } },
    { method: "queryStats", request: { patterns } },
    { method: "getStats", request: { name: `user>>>${user}>>>traffic>>>uplink`, reset: true } },
    { method: "queryStats", request: { patterns, reset: true } },
    { method: "queryStats", request: { patterns } },
  ];
}

/** A module that makes each user's calls in the way that is theirs; its result are {@link PageCalls}. */
function callingModule(api: string): string {
  const jobs = ways.map((way, index) => [way, callsAbout(users[index] ?? "")]);
  return `
    import { callFromPage } from "/helpers/page-calls.js";
    export const result = [];
    for (const [way, calls] of ${JSON.stringify(jobs)}) {
      result.push(await callFromPage("http://${api}", way, calls));
    }
  `;
}

interface Running {
  readonly cli: Cli;
  /** The only site whose pages may call the API. */
  readonly site: PageSite;
  /** What the users have moved, each another amount. */
  readonly counters: Counters;
}

async function start(t: TestContext): Promise<Running> {
  const site = await startPageSite(t);
  const cli = await startCli(
    t,
    testConfig({
      users: users.map((name) => ({ username: name, password: name })),
      api: { access_control_allow_origin: site.origin },
    }),
  );
  const ofUsers: Counters[] = [];
  for (const [index, user] of users.entries()) {
    const origin = await openOrigin(t);
    await askThrough(t, cli.proxy, user, `${origin.url}/bytes/${10_000 * (index + 1)}`);
    await assertCounters(cli.api, () => sumCounters([...ofUsers, expectedCounters(user, origin.moved)]));
    ofUsers.push(expectedCounters(user, origin.moved));
  }
  return { cli, site, counters: sumCounters(ofUsers) };
}

describe("a page in Chromium, of an origin that is allowed", needs("chromium"), () => {
  let counters: Counters = {};
  let results: readonly PageCalls[] = [];

  it("resets what it asks for, and nothing else", io, async (t) => {
    const running = await start(t);
    const page = await running.site.run(t, callingModule(running.cli.api));
    counters = running.counters;
    results = page.result as readonly PageCalls[];
    const left = Object.entries(counters).map(([name, value]) => [
      name,
      name.startsWith("user>>>") ? 0n : value,
    ]);
    assert.deepEqual(await queryCounters(running.cli.api), Object.fromEntries(left));
  });

  for (const [index, { title, contentType, useHttpGet = false }] of ways.entries()) {
    const user = users[index] ?? "";
    const up = `user>>>${user}>>>traffic>>>uplink`;
    const down = `user>>>${user}>>>traffic>>>downlink`;

    it(`reads exact counters through ${title}`, () => {
      const [, ...outcomes] = results[index]?.outcomes ?? [];
      const sent = { name: up, value: String(counters[up]) };
      const received = { name: down, value: String(counters[down]) };
      assert.deepEqual(outcomes, [
        { answer: { stat: received } },
        { code: 5, message: "Ünknown %20 not found." },
        { answer: { stat: [sent, received] } },
        { answer: { stat: sent } },
        { answer: { stat: [{ name: up }, received] } },
        { answer: { stat: [{ name: up }, { name: down }] } },
      ]);
    });

    it(`reads the system's figures through ${title}`, () => {
      const [outcome] = results[index]?.outcomes ?? [];
      assert.ok(outcome !== undefined && "answer" in outcome);
      const { Alloc, Sys } = outcome.answer as Readonly<Record<string, string>>;
      assert.ok(Number(Alloc) > 1_000_000 && Number(Sys) > Number(Alloc), JSON.stringify(outcome));
    });

    it(`sends what is to be sent through ${title}`, () => {
      const [first, ...others] = results[index]?.requests ?? [];
      const post = { verb: "POST", contentType };
      assert.deepEqual(first, useHttpGet ? { verb: "GET", contentType: null } : post);
      assert.deepEqual(
        others,
        Array.from({ length: 6 }, () => post),
      );
    });
  }
});

describe("a page in Chromium, of an origin that is not allowed", needs("chromium"), () => {
  const failed = { code: 2, message: "Failed to fetch" };

  /** Asks without caring for the answer, which browsers allow every page to do. */
  function blindModule(api: string): string {
    const url = `http://${api}/${serviceNames[0]}`;
    return `
      const answers = [
        await fetch("${url}/GetSysStats?connect=v1&encoding=json&message=%7B%7D", { mode: "no-cors" }),
        await fetch("${url}/QueryStats", { mode: "no-cors", method: "POST", body: '{"reset":true}' }),
      ];
      export const result = [];
      for (const answer of answers) result.push([answer.type, answer.status, await answer.text()]);
    `;
  }

  it("reads nothing and resets nothing", io, async (t) => {
    const { cli, site, counters } = await start(t);
    const foreign = await startPageSite(t);
    const pages = [
      await foreign.run(t, callingModule(cli.api)),
      // The allowed site under another name is another origin.
      await site.run(t, callingModule(cli.api), "localhost"),
    ];
    for (const { result } of pages) {
      assert.deepEqual(
        (result as readonly PageCalls[]).map(({ outcomes }) => outcomes),
        users.map((user) => callsAbout(user).map(() => failed)),
      );
    }
    assert.deepEqual(await queryCounters(cli.api), counters);
  });

  it("reads nothing and resets nothing where it does not ask for the answer", io, async (t) => {
    const { cli, counters } = await start(t);
    const foreign = await startPageSite(t);
    const { result } = await foreign.run(t, blindModule(cli.api));
    // The API was reached, and the page learns nothing else.
    assert.deepEqual(result, [
      ["opaque", 0, ""],
      ["opaque", 0, ""],
    ]);
    assert.deepEqual(await queryCounters(cli.api), counters);
  });
});

describe("the site of such pages", () => {
  for (const path of [
    "/package.json",
    "/dist/index.js",
    "/gen/../dist/index.js",
    "/gen/%2e%2e/dist/index.js",
    "/gen/..%2fdist%2findex.js",
    "/gen//../dist/index.js",
    "/node_modules/@connectrpc/connect-node/dist/esm/index.js",
    "/node_modules/@connectrpc/connect/dist/esm/../../package.json",
    "/node_modules/zod/index.js",
  ]) {
    it(`does not have ${path}`, () => {
      assert.equal(fileOfModule(path), undefined);
    });
  }
});
