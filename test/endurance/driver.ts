/*
 * The process of a proxy under test, so that its memory and its descriptors are its own. `DrivenProxy` starts it, and asks
 * it questions over the channel between the processes, one at a time.
 */
import { toConfig } from "../../src/config/to-config.js";
import { createApp } from "../../src/proxy-entry.js";
import type { Answer, Question } from "./driver-messages.js";
import { collectAll, reportOn } from "./process-report.js";
import { users } from "./users.js";

const everybody = Object.values(users);
const names = everybody.map(({ username }) => username);
const config = toConfig({
  inbounds: { type: "mixed", tag: "in", listen_port: 0, users: everybody },
  outbounds: { type: "direct", tag: "out" },
  experimental: {
    // All of them come from one address, and are more than one has room for.
    limits: { connections_per_source: 65_536 },
    v2ray_api: { stats: { enabled: true, inbounds: "in", outbounds: "out", users: names } },
  },
});
const app = createApp(config);

// Node opens it when the first socket closes: it is to count from the start.
process.stderr.write("");
// Whoever started it may be gone without a word. After a stop it is to end by itself.
process.once("disconnect", onGone);
process.on("message", (question: Question) => void answer(question));
const { inbounds } = await app.start();
say({ kind: "started", endpoint: inbounds[0]?.address });

async function answer({ ask }: Question): Promise<void> {
  switch (ask.kind) {
    case "report":
      if (ask.afterCollection) await collectAll();
      say({ kind: "report", report: reportOn(app) });
      return;
    case "close": {
      const ports = new Set(ask.sourcePorts);
      const chosen = app.connections.list().filter(({ metadata }) => ports.has(metadata.source.port));
      say({ kind: "closed", count: chosen.filter(({ id }) => app.connections.close(id)).length });
      return;
    }
    case "stop":
      await app[Symbol.asyncDispose]();
      process.off("disconnect", onGone);
      process.disconnect();
  }
}

function say(answer: Answer): void {
  process.send?.(answer);
}

function onGone(): void {
  process.exit();
}
