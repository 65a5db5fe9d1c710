import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { silentLogger } from "../../src/log/logger.js";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { count, paths, startApi, valuesOf } from "../helpers/api-server.js";
import { sendHttp1, type HttpAnswer } from "../helpers/raw-http.js";
import { counterName } from "./api-requests.js";
import { leavesNothing } from "./conversation.js";

/** For clients that leave their connections open: that is found within a fraction of a second. */
export const shortTimeouts = {
  sniffTimeoutMs: 200,
  firstRequestTimeoutMs: 200,
  http2PingIntervalMs: 50,
  http2IdleTimeoutMs: 200,
};

/** What a caller sends who may read and not reset. */
export const readOnly = { authorization: "Bearer s3cret" };

/** Whose resets are refused, so that nothing that anybody says may change a counter. */
export const readOnlySecrets = [{ name: "reader", secret: "s3cret", reset: false }];

/** An API that is sent what no client would send. */
export interface FuzzedApi {
  readonly port: number;
  /**
   * Runs something and fails if it leaves a socket or a timer behind, changes the counter, has anything logged as an error, or keeps a good
   * call from being answered.
   */
  survives(run: () => Promise<void>): Promise<void>;
}

/** Starts an API with one counter; it is stopped after the test. */
export async function startFuzzedApi(
  t: TestContext,
  options: Partial<ApiServerOptions> = {},
): Promise<FuzzedApi> {
  const errors: unknown[] = [];
  const logger = {
    ...silentLogger,
    error: (message: string, fields?: object) => errors.push([message, fields]),
  };
  const { port, store } = await startApi(t, { logger, ...options });
  count(store, counterName, 1_234);
  return {
    port,
    survives: async (run) => {
      await leavesNothing(run);
      assert.deepEqual(errors, []);
      assert.deepEqual(valuesOf(store), { [counterName]: 1_234n });
      const headers = { "content-type": "application/json", ...readOnly };
      const body = JSON.stringify({ name: counterName });
      const answer = await untilConnected(async () =>
        sendHttp1(port, { path: paths.getStats, headers, body }),
      );
      assert.deepEqual(JSON.parse(answer.body.toString()), { stat: { name: counterName, value: "1234" } });
    },
  };
}

/** On a machine that is busy, the time that a connection has may be over before its first byte is looked at. */
async function untilConnected(send: () => Promise<HttpAnswer>): Promise<HttpAnswer> {
  for (let failures = 0; failures < 20; failures++) {
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ECONNRESET")) throw error;
    }
  }
  return send();
}
