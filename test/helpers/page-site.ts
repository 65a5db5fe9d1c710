import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { TestContext } from "node:test";
import { readAll } from "./bytes.js";
import { keepOpen } from "./chromium.js";
import { createImportMap, fileOfModule } from "./import-map.js";
import { addressOf, listen } from "./sockets.js";

/** What became of a page. */
export interface PageReport {
  /** What its module exports as `result`, awaited, after a way through JSON. */
  readonly result: unknown;
  /** The text that it shows in the end. */
  readonly shown: string;
}

/** A page that was added to a site and waits to be opened. */
interface Page {
  readonly module: string;
  readonly onReport: (text: string) => void;
}

/**
 * A web site, over HTTP/1.1, whose pages run one module each. It may import by name what a bundler would take out of
 * node_modules, see {@link createImportMap}, and from `/helpers/` the compiled files beside this one.
 */
export class PageSite {
  readonly server = createServer((request, response) => void this.#answer(request, response));
  readonly #pages: Page[] = [];

  /** `http://127.0.0.1:PORT` */
  get origin(): string {
    return `http://127.0.0.1:${addressOf(this.server).port}`;
  }

  /**
   * Opens a page in Chromium that runs that module, and waits until it is through. Fails as the module does.
   *
   * @param host - Under which the page is opened, with a port where another one leads here. Default: `127.0.0.1`.
   */
  async run(t: TestContext, module: string, host = "127.0.0.1"): Promise<PageReport> {
    const url = new URL(`${this.origin}/page/${this.#pages.length}`);
    url.host = host;
    const report = new Promise<string>((resolve) => {
      this.#pages.push({ module, onReport: resolve });
    });
    const { error, ...told } = JSON.parse(await keepOpen(t, url.href, report)) as PageReport & {
      error?: string;
    };
    if (error !== undefined) throw new Error(`the page failed: ${error}`);
    return told;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "", this.origin);
    const [, id = "", kind] = /^\/page\/(\d+)(\.js|\/report)?$/.exec(pathname) ?? [];
    const page = this.#pages[Number(id)];
    if (id === "" || page === undefined) {
      await answerModule(pathname, response);
    } else if (kind === "/report") {
      page.onReport((await readAll(request)).toString());
      response.end();
    } else if (kind === ".js") {
      response.setHeader("content-type", "text/javascript").end(page.module);
    } else {
      response.setHeader("content-type", "text/html; charset=utf-8").end(pageOf(id));
    }
  }
}

/** A site that is closed after the test. */
export async function startPageSite(t: TestContext): Promise<PageSite> {
  const site = new PageSite();
  t.after(() => {
    site.server.closeAllConnections();
  });
  await listen(t, site.server);
  return site;
}

function pageOf(id: string): string {
  return `<!doctype html>
<title>Test</title>
<link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify(createImportMap())}</script>
<body></body>
<script type="module">
  const report = {};
  try {
    const { result } = await import("/page/${id}.js");
    report.result = await result;
  } catch (error) {
    report.error = String(error?.stack ?? error);
  }
  report.shown = document.body.innerText;
  await fetch("/page/${id}/report", { method: "POST", body: JSON.stringify(report) });
</script>
`;
}

async function answerModule(path: string, response: ServerResponse): Promise<void> {
  const [, helper] = /^\/helpers\/([\w-]+\.js)$/.exec(path) ?? [];
  const file = helper === undefined ? fileOfModule(path) : new URL(helper, import.meta.url);
  if (file === undefined) {
    response.writeHead(404).end();
    return;
  }
  const code = await readFile(file);
  response.setHeader("content-type", "text/javascript").end(code);
}
