import { silentLogger, type Logger } from "../../log/logger.js";
import { statScopes } from "../../stats/stat-name.js";
import { carrierOf, cutOff, type NodeHandler, type NodeRequest, type NodeResponse } from "../node-http.js";
import { refuse } from "../refusal.js";
import { debugVars } from "./debug-vars.js";
import type { MetricsOptions } from "./metrics-options.js";
import type { MetricsSources } from "./metrics-sources.js";
import { metricsText } from "./metrics-text.js";
import { prometheusContentType } from "./prometheus-text.js";
import { writeInSlices } from "./write-in-slices.js";

/** How many pages are written at the same time, all together: two scrapers, each of which may come too early once. */
const maxPageCount = 4;

export interface MetricsPagesOptions extends MetricsSources, MetricsOptions {
  /** How long somebody may take to read a page before being cut off, in milliseconds. Default: 60,000. */
  readonly pageTimeoutMs?: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * Makes what is served beside the calls, by its path: `/metrics` and `/scrape`, which are the same, for Prometheus, and
 * `/debug/vars` for those who read Xray's. None where they are not enabled.
 *
 * They take GET and HEAD; four are written at the same time, and who asks for more is told to come back.
 */
export function createMetricsPages({
  enabled = true,
  prefix = "v2ray",
  users = true,
  pageTimeoutMs = 60_000,
  logger = silentLogger,
  ...sources
}: MetricsPagesOptions): ReadonlyMap<string, NodeHandler> {
  if (!enabled) return new Map();
  const scopes = statScopes.filter((scope) => users || scope !== "user");
  const { refusals } = sources;
  let scrapeCount = 0;
  let runningCount = 0;

  const write = async (
    request: NodeRequest,
    response: NodeResponse,
    pieces: Iterable<string>,
  ): Promise<void> => {
    const timer = setTimeout(() => {
      cutOff(carrierOf(request));
    }, pageTimeoutMs);
    runningCount += 1;
    try {
      await writeInSlices(request, response, pieces);
    } catch (error) {
      logger.error("page failed", { error: String(error) });
      cutOff(carrierOf(request));
    } finally {
      runningCount -= 1;
      clearTimeout(timer);
    }
  };

  const servePage =
    (contentType: string, makePieces: () => Iterable<string>): NodeHandler =>
    (request, response) => {
      const { method } = request;
      if (method !== "GET" && method !== "HEAD") {
        refusals.wrong_http_method += 1;
        response.setHeader("allow", "GET, HEAD");
        refuse(request, response, "wrongHttpMethod", "this page is read with GET");
        return;
      }
      if (method === "GET" && runningCount === maxPageCount) {
        refusals.too_many_pages += 1;
        response.setHeader("retry-after", 1);
        refuse(request, response, "unavailable", `${maxPageCount} others are reading; try again`);
        return;
      }
      // As in a refusal: an answer to a request that nobody reads can be lost.
      request.resume();
      response.setHeader("content-type", contentType);
      response.setHeader("cache-control", "no-store");
      if (method === "HEAD") response.end();
      else void write(request, response, makePieces());
    };

  const metrics = servePage(prometheusContentType, () => {
    scrapeCount += 1;
    return metricsText({ ...sources, prefix, scopes, scrapeCount });
  });
  const vars = servePage("application/json; charset=utf-8", () => debugVars({ ...sources, scopes }));
  return new Map([
    ["/metrics", metrics],
    ["/scrape", metrics],
    ["/debug/vars", vars],
  ]);
}
