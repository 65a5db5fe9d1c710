import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, it, type TestContext } from "node:test";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { count, paths, startApi, userUplink, valuesOf, type TestApi } from "../helpers/api-server.js";
import {
  hostileCount,
  hostileModule,
  type HostileOutcome,
  type HostileTarget,
} from "../helpers/hostile-page.js";
import { seriesOf } from "../helpers/metrics.js";
import { needs } from "../helpers/outside-client.js";
import { startPageSite, type PageSite } from "../helpers/page-site.js";
import { sendHttp1 } from "../helpers/raw-http.js";
import { startReboundName, type ReboundName } from "../helpers/rebound-name.js";
import { addressOf, listen } from "../helpers/sockets.js";
import { turns } from "../helpers/timing.js";

const io = { timeout: 120_000 };
const secret = "panel-s3cret";
const secrets = [{ name: "panel", secret, reset: true }];
const counterName = userUplink("mallorys-victim");
const bytes = 987_654_321n;
/** An API that asks for a secret answers so many attacks at once, and further ones of their source late. */
const promptCount = 9;

/** An API under attack, and what each attack has left of its counters. */
interface Attacked {
  readonly api: TestApi;
  readonly target: HostileTarget;
  readonly looks: { readonly attack: string; readonly counters: Readonly<Record<string, bigint>> }[];
}

/** Where the page that attacks stands. */
interface Place {
  /** The host by which it calls the API, or a name that leads there while it does. */
  readonly by: string | ReboundName;
  /** Where the name leads otherwise. */
  readonly site: PageSite;
}

/** How many requests an API has refused. */
async function countRefused({ port }: TestApi): Promise<number> {
  const headers = { authorization: `Bearer ${secret}` };
  const { body } = await sendHttp1(port, { method: "GET", path: "/metrics", headers });
  const series = Object.entries(seriesOf(body.toString()));
  const refused = series.filter(([name]) => name.startsWith("v2ray_api_refused_requests_total"));
  return refused.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** An API with something to steal, and what an attacker has beside it. */
async function startAttacked(
  t: TestContext,
  { by, site }: Place,
  options: Partial<ApiServerOptions>,
): Promise<Attacked> {
  const api = await startApi(t, options);
  count(api.store, counterName, bytes);
  const looks: Attacked["looks"] = [];
  let refusedBefore = 0;
  const look = async (query: URLSearchParams): Promise<void> => {
    const isBefore = query.get("when") === "before";
    if (isBefore) refusedBefore = await countRefused(api);
    // That an attack has come is known by its refusal, for which a page does not always wait.
    while (!isBefore && (await countRefused(api)) === refusedBefore) await turns(5);
    if (!isBefore) looks.push({ attack: query.get("attack") ?? "", counters: valuesOf(api.store) });
    if (typeof by === "object") by.lead(isBefore ? api.port : addressOf(site.server).port);
  };
  const aside = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://localhost");
    response.setHeader("access-control-allow-origin", "*");
    if (pathname === "/look") void look(searchParams).then(() => response.end());
    else response.writeHead(307, { location: `${api.url}${pathname}` }).end();
  });
  t.after(() => {
    aside.closeAllConnections();
  });
  const { port } = await listen(t, aside);
  const own = `http://127.0.0.1:${port}`;
  const host = typeof by === "string" ? `${by}:${api.port}` : `evil.example:${by.port}`;
  return { api, looks, target: { api: `http://${host}`, check: `${own}/look`, redirect: own } };
}

/** Has a page under that host attack APIs, each with its own options, and tells what it learned. */
async function attack(
  t: TestContext,
  place: Place,
  host: string,
  { apis = [{}, { secrets }], maxCount = hostileCount } = {},
): Promise<readonly HostileOutcome[]> {
  const attacked = await Promise.all(apis.map(async (options) => startAttacked(t, place, options)));
  const targets = attacked.map(({ target }) => target);
  const { result } = await place.site.run(t, hostileModule(targets, maxCount), host);
  const outcomes = result as readonly HostileOutcome[];
  assert.equal(outcomes.length, apis.length * maxCount);
  for (const { looks } of attacked) {
    assert.equal(looks.length, maxCount);
    for (const { attack: what, counters } of looks) {
      assert.deepEqual(counters, { [counterName]: bytes }, what);
    }
  }
  assert.doesNotMatch(JSON.stringify(outcomes), /mallorys-victim|987654321|s3cret/);
  return outcomes;
}

describe("a hostile page in Chromium", needs("chromium"), () => {
  for (const [what, host, by] of [
    ["of another origin", "127.0.0.1", "127.0.0.1"],
    ["of another origin, by the name localhost", "127.0.0.1", "localhost"],
    ["whose name leads to this machine", "evil.example", "127.0.0.1"],
    ["whose name leads to this machine, by that name", "evil.example", "evil.example"],
  ] as const) {
    it(`reads nothing and resets nothing: ${what}`, io, async (t) => {
      const outcomes = await attack(t, { by, site: await startPageSite(t) }, host);
      assert.deepEqual(
        outcomes.filter(({ learned }) => learned !== ""),
        [],
      );
    });
  }

  for (const [what, options, maxCount, refusal] of [
    [
      "which asks for no secret",
      {},
      hostileCount,
      /"permission_denied","message":"host .* is not served here/,
    ],
    ["which asks for a secret", { secrets }, promptCount, /"unauthenticated","message":"a secret is needed/],
  ] as const) {
    it(
      `reads but the refusal, and resets nothing, once its own name leads to the API, ${what}`,
      io,
      async (t) => {
        const site = await startPageSite(t);
        const by = await startReboundName(t, addressOf(site.server).port);
        const outcomes = await attack(t, { by, site }, `evil.example:${by.port}`, {
          apis: [options],
          maxCount,
        });
        // To the browser it is one origin: this page could have read it all.
        const [first] = outcomes;
        assert.match(first?.learned ?? "", refusal);
      },
    );
  }
});

describe("a page in Chromium, of an origin that is allowed", needs("chromium"), () => {
  for (const [what, options, authorization, status] of [
    ["without a secret where none is asked for", {}, undefined, 200],
    ["with a secret", { secrets }, `Bearer ${secret}`, 200],
    ["with a wrong secret", { secrets }, "Bearer guess", 401],
    ["without a secret where one is asked for", { secrets }, undefined, 401],
  ] as const) {
    it(`${status === 200 ? "reads and resets" : "learns why it may not"} ${what}`, io, async (t) => {
      const site = await startPageSite(t);
      const api = await startApi(t, { ...options, allowedOrigins: [site.origin] });
      count(api.store, counterName, bytes);
      const headers = {
        "content-type": "application/json",
        ...(authorization !== undefined && { authorization }),
      };
      const { result } = await site.run(
        t,
        `const answer = await fetch(${JSON.stringify(api.url + paths.queryStats)}, {
           method: "POST", headers: ${JSON.stringify(headers)}, body: '{"reset":true}',
         });
         export const result = [answer.status, await answer.text()];`,
      );
      const [gotStatus, text] = result as readonly [number, string];
      assert.equal(gotStatus, status);
      assert.match(text, status === 200 ? /"value":"987654321"/ : /^\{"code":"unauthenticated"/);
      assert.deepEqual(valuesOf(api.store), { [counterName]: status === 200 ? 0n : bytes });
    });
  }
});
