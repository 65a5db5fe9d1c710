/*
 * `npm audit`, for CI: fails on any known vulnerability in what is installed with the package, and on those from `high` on in
 * what it is built and tested with. A registry that does not answer audits, as a mirror may not, is said and is no failure:
 * nothing is known then, in either direction.
 */
import { spawnSync } from "node:child_process";
import { pathToFileURL } from "node:url";

const severities = ["info", "low", "moderate", "high", "critical"];

/**
 * Reads what `npm audit --json` printed.
 *
 * @param {string} output
 * @param {string} level - The least severity that counts.
 * @returns {{ verdict: "clean" | "vulnerable" | "unanswered", lines: readonly string[] }}
 * @throws {Error} if it is neither a report nor the registry's refusal to make one.
 */
export function readAudit(output, level) {
  const report = JSON.parse(output);
  if (report.auditReportVersion === 2 && report.vulnerabilities !== undefined) {
    const lines = Object.values(report.vulnerabilities)
      .filter(({ severity }) => severities.indexOf(severity) >= severities.indexOf(level))
      .map(({ name, severity, range }) => `${name} ${range}: ${severity}`);
    return { verdict: lines.length === 0 ? "clean" : "vulnerable", lines };
  }
  const { statusCode, uri = "", message = "" } = report;
  // What npm asks for an audit, and what of it went wrong at the registry.
  if (
    /\/-\/npm\/v1\/security\//.test(`${uri} ${message}`) &&
    (statusCode >= 400 || statusCode === undefined)
  ) {
    return { verdict: "unanswered", lines: [message] };
  }
  throw new Error(`npm audit: ${report.error?.summary || message || output}`);
}

function audit(title, level, ...options) {
  const { stdout } = spawnSync("npm", ["audit", "--json", ...options], { encoding: "utf8" });
  const { verdict, lines } = readAudit(stdout, level);
  console.log(`${title}, from ${level} on: ${verdict}`);
  for (const line of lines) console.log(`  ${line}`);
  if (verdict === "vulnerable") process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  audit("what the package depends on", "low", "--omit=dev");
  audit("what it is built and tested with", "high");
}
