import type { TestContext } from "node:test";
import { Origin } from "./origin.js";
import { closeAfter } from "./sockets.js";

/** An origin for one test, of which nothing is left after it. */
export async function openOrigin(t: TestContext, scheme: "http" | "https" = "http"): Promise<Origin> {
  const origin = new Origin(scheme);
  closeAfter(t, origin);
  return origin.start();
}
