import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bodyOf } from "../helpers/call-protocols.js";
import { versions, type HttpAnswer } from "../helpers/raw-http.js";
import { envelopeCalls, jsonCalls, typedCalls } from "./api-calls.js";
import { toBytes } from "./byte-text.js";
import { fuzz, fuzzLimits } from "./fuzz.js";
import { readOnly, readOnlySecrets, startFuzzedApi } from "./fuzzed-api.js";

describe("the API, by somebody who may not reset", () => {
  for (const [name, what, inputs] of [
    ["api-envelopes", "envelopes", envelopeCalls],
    ["api-json", "JSON", jsonCalls],
    ["api-content-types", "headers", typedCalls],
  ] as const) {
    it(`takes whatever there is in ${what}, and no counter changes`, fuzzLimits, async (t) => {
      const api = await startFuzzedApi(t, { secrets: readOnlySecrets });
      await fuzz({
        name,
        inputs,
        holds: async ({ version, headers, body, ...request }) =>
          api.survives(async () => {
            const send = versions.find((known) => known.version === version)?.send;
            assert.ok(send !== undefined);
            const call = { ...request, headers: { ...headers, ...readOnly }, body: toBytes(body) };
            // A connection that is cut is an answer, too.
            const answers = await Promise.allSettled([send(api.port, call)]);
            for (const answer of answers) {
              if (answer.status === "fulfilled") assertForeseen(answer.value);
            }
          }),
      });
    });
  }
});

/**
 * Fails where an answer says that something went wrong in the server which nobody had thought of: UNKNOWN, in the words of any
 * protocol. (What is no Protobuf is INTERNAL, as in gRPC's own servers.)
 */
function assertForeseen({ headers, trailers, body }: HttpAnswer): void {
  assert.notEqual(headers["grpc-status"] ?? trailers["grpc-status"], "2");
  assert.doesNotMatch(bodyOf({ headers, body }).toString("latin1"), /"code":"unknown"|grpc-status: ?2\r/);
}
