/** What became of a case: one that does not apply to a server is skipped. */
export type Outcome = "passed" | "failed" | "skipped";

/** The outcomes by the names of the cases, such as `http2/5.1/8 closed: Sends a DATA frame`; h2spec runs `http2/5.1/8`. */
export type Report = ReadonlyMap<string, Outcome>;

/** Reads the report that h2spec writes for JUnit. What it quotes in there is not escaped, so it is no XML to be parsed. */
export function parseReport(text: string): Report {
  const report = new Map<string, Outcome>();
  const counts = new Map<string, number>();
  const cases = text.matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>\s*<(\/?\w+)>/g);
  for (const [, group = "", title = "", tag = ""] of cases) {
    const count = (counts.get(group) ?? 0) + 1;
    counts.set(group, count);
    report.set(`${group}/${count} ${title}`, outcomes.get(tag) ?? "failed");
  }
  return report;
}

/** How many cases passed. */
export function countPassed(report: Report): number {
  return casesWith(report, "passed").length;
}

/** The cases that one server passes and another does not. */
export function passedOnlyBy(server: Report, other: Report): string[] {
  return casesWith(server, "passed").filter((name) => other.get(name) !== "passed");
}

/** The cases with that outcome. */
export function casesWith(report: Report, wanted: Outcome): string[] {
  return Array.from(report).flatMap(([name, outcome]) => (outcome === wanted ? [name] : []));
}

/** The tag that follows that of a case; others tell of a failure. */
const outcomes: ReadonlyMap<string, Outcome> = new Map([
  ["/testcase", "passed"],
  ["skipped", "skipped"],
]);
