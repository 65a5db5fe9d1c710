import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ListenError } from "../../src/net/listen-error.js";

describe("ListenError", () => {
  const cases = [
    ["EADDRINUSE", "address in use"],
    ["EADDRNOTAVAIL", "address not available on this machine"],
    ["EACCES", "permission denied"],
    ["ENOTFOUND", "name does not resolve"],
    ["EMFILE", "what the system said"],
  ] as const;
  for (const [code, reason] of cases) {
    it(`names the address and the reason (${code})`, () => {
      const cause = Object.assign(new Error("what the system said"), { code });
      const error = new ListenError({ host: "::1", port: 80 }, cause);
      assert.ok(error instanceof Error);
      assert.equal(error.message, `listen [::1]:80: ${reason}`);
      assert.equal(error.name, "ListenError");
      assert.equal(error.code, "LISTEN_FAILED");
      assert.equal(error.cause, cause);
    });
  }
});
