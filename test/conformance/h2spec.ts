// Runs h2spec against the API's port and against Node's own HTTP/2 server, and compares them case by case: npm run h2spec
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http2";
import { ApiServer } from "../../src/rpc/api-server.js";
import { CounterStore } from "../../src/stats/counter-store.js";
import { runProgram } from "../helpers/program.js";
import { firstPort } from "../helpers/first-port.js";
import { addressOf } from "../helpers/sockets.js";
import { TempDir } from "../helpers/temp-dir.js";
import { countPassed, parseReport, passedOnlyBy, type Report } from "./h2spec-report.js";
import { hasTool } from "./outside-tool.js";

const host = "127.0.0.1";
/** A call that can be made with GET, as h2spec makes most of its requests. */
const path = "/v2ray.core.app.stats.command.StatsService/GetSysStats?encoding=json&message=%7B%7D";
/** How long h2spec waits for a frame: it does so in the cases that fail. */
const frameTimeout = "2";
/** Many times what it takes. */
const timeoutMs = 120_000;
const caseCount = 145;
/** What Node's own server passes at least, in every release that we support: fewer were a run that went wrong. */
const leastPassedCount = 135;

if (hasTool("h2spec")) {
  const [ours, nodes] = await Promise.all([testOurs(), testNodes()]);
  process.stdout.write(
    `h2spec on Node ${process.version}: the API's port passes ${countPassed(ours)} of ${ours.size} cases, ` +
      `Node's own HTTP/2 server ${countPassed(nodes)} of ${nodes.size}\n`,
  );
  const worse = passedOnlyBy(nodes, ours);
  for (const name of passedOnlyBy(ours, nodes))
    process.stdout.write(`passed by the API's port only: ${name}\n`);
  for (const name of worse) process.stderr.write(`passed by Node's own server only: ${name}\n`);
  const isWhole = [ours, nodes].every(
    (report) => report.size === caseCount && countPassed(report) >= leastPassedCount,
  );
  if (worse.length > 0 || !isWhole) process.exitCode = 1;
}

async function testOurs(): Promise<Report> {
  const server = new ApiServer({ listen: { host, port: 0 }, store: new CounterStore() });
  const port = firstPort(await server.start());
  try {
    return await runH2spec(port);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

async function testNodes(): Promise<Report> {
  const server = createServer((request, response) => {
    request.resume();
    response.end("an answer that is about as long as ours: some of the cases depend on that\n");
  });
  server.listen(0, host);
  await once(server, "listening");
  try {
    return await runH2spec(addressOf(server).port);
  } finally {
    server.close();
  }
}

async function runH2spec(port: number): Promise<Report> {
  const folder = new TempDir();
  try {
    const report = folder.join("report.xml");
    const target = ["--host", host, "--port", String(port), "--path", path];
    await runProgram("h2spec", [...target, "--timeout", frameTimeout, "--junit-report", report], {
      timeoutMs,
    });
    return parseReport(readFileSync(report, "utf8"));
  } finally {
    folder[Symbol.dispose]();
  }
}
