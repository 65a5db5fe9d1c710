/*
 * The process of a server under attack, so that its memory and its event loop are its own. `AttackedServer` starts it, and
 * asks it for reports over the channel between the processes.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createApp, toConfig } from "../../src/index.js";
import { firstPort } from "../helpers/first-port.js";
import type { AttackReport, Started } from "./report.js";

const app = createApp(
  toConfig({
    inbounds: [{ type: "mixed", tag: "in", listen: "127.0.0.1", listen_port: 0 }],
    experimental: { v2ray_api: { listen: "127.0.0.1:0", stats: { enabled: true, inbounds: "*" } } },
  }),
);
for (let user = 0; user < Number(process.argv[2]); user++) app.store.pair("user", `user-${user}@example.com`);
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
const { inbounds, api } = await app.start();
say({ kind: "started", port: firstPort(api), proxyPort: inbounds[0]?.address.port ?? 0 });
watching.unref();

function say(message: AttackReport | Started): void {
  process.send?.(message);
}
