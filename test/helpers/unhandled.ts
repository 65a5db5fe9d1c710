import assert from "node:assert/strict";
import { after, before } from "node:test";
import { turns } from "./timing.js";

/** Makes the suite whose body calls this fail if a rejection is left unhandled, or an exception uncaught, during it. */
export function failOnUnhandled(): void {
  const failures: unknown[] = [];
  const note = (reason: unknown): void => void failures.push(reason);
  const events = ["unhandledRejection", "uncaughtException"];
  before(() => {
    for (const event of events) process.on(event, note);
  });
  after(async () => {
    await turns(5);
    for (const event of events) process.off(event, note);
    assert.deepEqual(failures, []);
  });
}
