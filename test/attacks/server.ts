/*
 * The process of a server under attack, so that its memory and its event loop are its own. `AttackedServer` starts it, and
 * asks it for reports over the channel between the processes.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { ApiServer } from "../../src/rpc/api-server.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import type { AttackReport } from "./report.js";
import { firstPort } from "../helpers/first-port.js";

const store = new CounterStore();
for (let user = 0; user < Number(process.argv[2]); user++) store.pair("user", `user-${user}@example.com`);
const server = new ApiServer({ listen: { host: "127.0.0.1", port: 0 }, store });
const delay = monitorEventLoopDelay({ resolution: 2 });
let peakRssBytes = 0;
const watching = setInterval(() => {
  peakRssBytes = Math.max(peakRssBytes, process.memoryUsage.rss());
}, 20);

// Whoever started it may be gone without a word.
process.once("disconnect", () => process.exit());
process.on("message", (question) => {
  if (question === "begin") {
    delay.enable();
    delay.reset();
    peakRssBytes = process.memoryUsage.rss();
  }
  say({
    ...{ kind: "report", peakRssBytes },
    ...{ maxDelayMs: delay.max / 1e6, usualDelayMs: delay.percentile(99) / 1e6 },
  });
});
say({ kind: "started", port: firstPort(await server.start()) });
watching.unref();

function say(message: AttackReport | { readonly kind: "started"; readonly port: number }): void {
  process.send?.(message);
}
