import assert from "node:assert/strict";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { describe, it, type TestContext } from "node:test";
import { queryCounters } from "../helpers/api-client.js";
import { dumpDom } from "../helpers/chromium.js";
import { testConfig, useCli } from "../helpers/cli.js";
import { needs } from "../helpers/outside-client.js";
import { listen } from "../helpers/sockets.js";
import { tlsFixture } from "../helpers/tls.js";

const io = { timeout: 90_000 };
const lineCount = 100_000;
const subresource = "one line\n".repeat(lineCount);

/** The script counts the lines of what it fetched, so that only the whole of it makes the right DOM. */
const page = `<!doctype html>
<title>Test</title>
<p>no line</p>
<script>
  fetch("/lines")
    .then((answer) => answer.text())
    .then((text) => (document.querySelector("p").textContent = text.split("\\n").length - 1 + " lines"));
</script>
`;

interface Site {
  /** Of the page. */
  readonly url: string;
  /** The paths that were asked for. */
  readonly asked: readonly string[];
}

async function startSite(t: TestContext, scheme: "http" | "https"): Promise<Site> {
  const asked: string[] = [];
  const onRequest: RequestListener = ({ url = "" }, response) => {
    asked.push(url);
    response.setHeader("content-type", url === "/page" ? "text/html" : "text/plain");
    response.end({ "/page": page, "/lines": subresource }[url]);
  };
  const server =
    scheme === "http" ? createHttpServer(onRequest) : createHttpsServer({ ...tlsFixture }, onRequest);
  t.after(() => {
    server.closeAllConnections();
  });
  const { port } = await listen(t, server);
  return { url: `${scheme}://127.0.0.1:${port}/page`, asked };
}

describe("Chromium through the proxy", needs("chromium"), () => {
  const cli = useCli(testConfig({ users: [] }));

  for (const proxyScheme of ["http", "socks5"]) {
    for (const scheme of ["http", "https"] as const) {
      it(`loads a page of an ${scheme} site by ${proxyScheme}, and it is counted`, io, async (t) => {
        const site = await startSite(t, scheme);
        await queryCounters(cli().api, { reset: true });
        const dom = await dumpDom(t, site.url, `${proxyScheme}://${cli().proxy}`);
        assert.match(dom, new RegExp(`<p>${lineCount} lines</p>`));
        assert.deepEqual(site.asked.slice(0, 2), ["/page", "/lines"]);

        // Chromium has connections of its own as well: the counters cover the page and may show more.
        const counters = await queryCounters(cli().api);
        const up = counters["inbound>>>mixed-in>>>traffic>>>uplink"] ?? 0n;
        const down = counters["inbound>>>mixed-in>>>traffic>>>downlink"] ?? 0n;
        assert.deepEqual(counters, {
          "inbound>>>mixed-in>>>traffic>>>uplink": up,
          "inbound>>>mixed-in>>>traffic>>>downlink": down,
          "outbound>>>direct>>>traffic>>>uplink": up,
          "outbound>>>direct>>>traffic>>>downlink": down,
        });
        assert.ok(up > "GET /page".length + "GET /lines".length);
        assert.ok(down > page.length + subresource.length);
      });
    }
  }
});
