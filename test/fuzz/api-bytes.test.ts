import { describe, it } from "node:test";
import fc from "fast-check";
import { frameSequences } from "./api-frames.js";
import { frameBytes, readingBytes, refusedResetBytes } from "./api-requests.js";
import { anyBytes, cutAt, cuts, mutated } from "./byte-text.js";
import { playClient } from "./conversation.js";
import { fuzz, fuzzLimits } from "./fuzz.js";
import { readOnlySecrets, shortTimeouts, startFuzzedApi } from "./fuzzed-api.js";

const sent = {
  "api-anything": fc.oneof(
    { arbitrary: anyBytes(), weight: 1 },
    { arbitrary: mutated(frameBytes), weight: 1 },
    { arbitrary: mutated(readingBytes), weight: 3 },
  ),
  "api-refused-reset": mutated(refusedResetBytes),
  "api-frames": frameSequences,
};

const facts = {
  "api-anything": "survives whatever is sent to it, and no counter changes",
  "api-refused-reset": "resets nothing for a request that it refuses",
  "api-frames": "survives frames in any order, in which somebody resets who may not, and no counter changes",
};

const options = {
  "api-anything": {},
  "api-refused-reset": {},
  "api-frames": { secrets: readOnlySecrets },
};

describe("the API's port", () => {
  for (const name of ["api-anything", "api-refused-reset", "api-frames"] as const) {
    it(facts[name], fuzzLimits, async (t) => {
      const api = await startFuzzedApi(t, { ...shortTimeouts, ...options[name] });
      await fuzz({
        name,
        inputs: fc.record({
          sent: sent[name],
          cuts,
          ending: fc.constantFrom("end", "end", "late-end", "reset"),
        }),
        holds: async ({ sent: bytes, cuts: offsets, ending }) =>
          api.survives(async () => {
            await playClient({ port: api.port, pieces: cutAt(bytes, offsets), ending });
          }),
      });
    });
  }
});
