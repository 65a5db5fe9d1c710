import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { valuesOf, type TestApi } from "../helpers/api-server.js";
import { protocols, type CallProtocol } from "../helpers/call-protocols.js";
import { seriesOf } from "../helpers/metrics.js";
import type { HttpAnswer } from "../helpers/raw-http.js";
import { turns } from "../helpers/timing.js";
import {
  assertNothingReset,
  bearer,
  counterName,
  listeners,
  resettingCalls,
  startGuarded,
  type Listener,
} from "./guarded-api.js";

const io = { timeout: 60_000 };
const wrongCount = 1_000;
/** Those that are answered, late or not, and those that are cut off. */
const refused = ["no_secret", "too_many_wrong_secrets"].map(
  (reason) => `v2ray_api_refused_requests_total{reason="${reason}"}`,
);

/** How many wrong secrets the server has had. It is asked with a right one, which is part of the test. */
async function countWrong(api: TestApi, { ask }: Listener): Promise<number> {
  const headers = bearer("grafana-s3cret");
  const { body } = await ask(api, { method: "GET", path: "/metrics", headers });
  const series = seriesOf(body.toString());
  return refused.reduce((sum, name) => sum + Number(series[name]), 0);
}

/** Has a thousand wrong secrets sent from the source of the right one, and returns when the server has them all. */
async function guess(
  api: TestApi,
  listener: Listener,
): Promise<{ readonly answers: Promise<PromiseSettledResult<HttpAnswer>[]> }> {
  const answers = Promise.allSettled(
    Array.from({ length: wrongCount }, async (_, index) =>
      listener.ask(api, { method: "GET", path: "/metrics", headers: bearer(`guess-${index}`) }),
    ),
  );
  while ((await countWrong(api, listener)) < wrongCount) await turns(10);
  return { answers };
}

for (const listener of listeners) {
  describe(
    `the right secret, over ${listener.over}, after ${wrongCount} wrong ones of its source`,
    io,
    () => {
      it("reads and resets by every protocol, while these wait", async (t) => {
        // The time stands still: what is to be answered late would be missed below.
        t.mock.timers.enable({ apis: ["setTimeout"] });
        const api = await startGuarded(t, listener);
        const { answers } = await guess(api, listener);
        const [call] = resettingCalls;
        assert.ok(call !== undefined);
        const askAs = async (secret: string, { headers, body, codeOf }: CallProtocol): Promise<string> =>
          codeOf(
            await listener.ask(api, {
              path: call.path,
              headers: { ...headers, ...bearer(secret) },
              body: body(call.message),
            }),
          );
        for (const protocol of protocols) assert.equal(await askAs("grafana-s3cret", protocol), "7");
        assertNothingReset(api);
        for (const protocol of protocols) assert.equal(await askAs("panel-s3cret", protocol), "0");
        assert.deepEqual(valuesOf(api.store), { [counterName]: 0n });
        t.mock.timers.tick(2_000);
        const answered = (await answers).flatMap((answer) =>
          answer.status === "fulfilled" ? [answer.value.status] : [],
        );
        // Ten at once, and as many as may wait.
        assert.deepEqual(answered, Array(74).fill(401));
      });
    },
  );
}
