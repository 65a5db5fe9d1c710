import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { count, paths, startApi, valuesOf } from "../helpers/api-server.js";
import { sendHttp1 } from "../helpers/raw-http.js";
import { counterName, frameBytes, readingBytes, refusedResetBytes } from "./api-requests.js";
import { anyBytes, cutAt, cuts, mutated } from "./byte-text.js";
import { leavesNoSocket, playClient } from "./conversation.js";
import { fuzz, fuzzLimits } from "./fuzz.js";

/** A connection that is left open is found within a fraction of a second. */
const timeouts = {
  sniffTimeoutMs: 200,
  firstRequestTimeoutMs: 200,
  http2PingIntervalMs: 50,
  http2IdleTimeoutMs: 200,
};

const sent = {
  "api-anything": fc.oneof(
    { arbitrary: anyBytes(), weight: 1 },
    { arbitrary: mutated(frameBytes), weight: 1 },
    { arbitrary: mutated(readingBytes), weight: 3 },
  ),
  "api-refused-reset": mutated(refusedResetBytes),
};

const facts = {
  "api-anything": "survives whatever is sent to it, and no counter changes",
  "api-refused-reset": "resets nothing for a request that it refuses",
};

describe("the API's port", () => {
  for (const name of ["api-anything", "api-refused-reset"] as const) {
    it(facts[name], fuzzLimits, async (t) => {
      const { port, store } = await startApi(t, timeouts);
      count(store, counterName, 1_234);
      await fuzz({
        name,
        inputs: fc.record({ sent: sent[name], cuts, ending: fc.constantFrom("end", "end", "end", "reset") }),
        holds: async ({ sent: bytes, cuts: offsets, ending }) => {
          await leavesNoSocket(async () => {
            await playClient({ port, pieces: cutAt(bytes, offsets), ending });
          });
          assert.deepEqual(valuesOf(store), { [counterName]: 1_234n });
          const headers = { "content-type": "application/json" };
          const answer = await sendHttp1(port, {
            path: paths.getStats,
            headers,
            body: `{"name":"${counterName}"}`,
          });
          assert.deepEqual(JSON.parse(answer.body.toString()), {
            stat: { name: counterName, value: "1234" },
          });
        },
      });
    });
  }
});
