import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { count, startApi, userUplink, valuesOf } from "../helpers/api-server.js";
import { rootPath } from "../helpers/cli.js";
import { needs } from "../helpers/outside-client.js";
import { startPageSite, type PageSite } from "../helpers/page-site.js";

const panel = readFileSync(join(rootPath, "examples", "panel.html"), "utf8");
const secret = "s3cret-of-the-panel";

/** What somebody writes into the form of the page. */
interface Form {
  readonly api: string;
  readonly secret: string;
  readonly pattern: string;
}

/** What the page shows in the end. */
interface Shown {
  readonly said: string;
  readonly rows: readonly (readonly string[])[];
  /** Everything that it has stored. */
  readonly stored: readonly string[];
}

/** Opens the example in a frame of a page, and so as one of its origin, fills its form in and sends it, once for each. */
async function use(t: TestContext, site: PageSite, forms: readonly Form[]): Promise<readonly Shown[]> {
  const module = `
    const frame = document.createElement("iframe");
    frame.srcdoc = ${JSON.stringify(panel).replaceAll("</", "<\\/")};
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    document.body.append(frame);
    await loaded;
    const page = frame.contentDocument;
    const output = page.querySelector("output");
    const send = (form) => new Promise((resolve) => {
      for (const [name, value] of Object.entries(form)) page.querySelector("form").elements[name].value = value;
      new MutationObserver((_, observer) => {
        if (output.textContent === "…") return;
        observer.disconnect();
        const rows = Array.from(page.querySelectorAll("tr"), (row) => Array.from(row.cells, (cell) => cell.textContent));
        const stored = [page.cookie, ...Object.values(localStorage), ...Object.values(sessionStorage), frame.contentWindow.location.href];
        resolve({ said: output.textContent, rows, stored });
      }).observe(output, { childList: true, characterData: true, subtree: true });
      page.querySelector("button").click();
    });
    export const result = [];
    for (const form of ${JSON.stringify(forms)}) result.push(await send(form));
  `;
  const shown = (await site.run(t, module)).result as readonly Shown[];
  // How thousands are set apart is the browser's language.
  return shown.map(({ rows, ...others }) => ({
    ...others,
    rows: rows.map(([name = "", value = ""]) => [name, value.replaceAll(/\D/g, "")]),
  }));
}

describe("examples/panel.html in Chromium", { timeout: 90_000, ...needs("chromium") }, () => {
  it("shows what it may read, and what the API says where it may not", async (t) => {
    const site = await startPageSite(t);
    const api = await startApi(t, {
      secrets: [{ name: "panel", secret }],
      allowedOrigins: [site.origin],
    });
    // The separator behind it would close the tag.
    const markup = userUplink("<img src=x");
    count(api.store, userUplink("alice"), 9_007_199_254_740_993n);
    count(api.store, userUplink("bob"), 0);
    count(api.store, markup, 7);
    const before = valuesOf(api.store);
    const form = { api: api.url, secret, pattern: "user>>>" };
    const [all, one, none, missing, wrong] = await use(t, site, [
      form,
      { ...form, pattern: "alice" },
      { ...form, pattern: "nobody" },
      { ...form, secret: "" },
      { ...form, secret: "guess" },
    ]);
    const alice = [userUplink("alice"), "9007199254740993"];
    assert.match(all?.said ?? "", /^read at /);
    assert.deepEqual(all?.rows, [alice, [userUplink("bob"), "0"], [markup, "7"]]);
    assert.deepEqual(one?.rows, [alice]);
    assert.deepEqual(none?.rows, []);
    assert.match(missing?.said ?? "", /^unauthenticated: a secret is needed/);
    assert.match(wrong?.said ?? "", /^unauthenticated: this is not a secret of this server/);
    assert.deepEqual([missing?.rows, wrong?.rows], [[], []]);
    assert.deepEqual(all.stored, ["", "about:srcdoc"]);
    assert.deepEqual(valuesOf(api.store), before);
  });

  it("learns nothing where its origin is not allowed", async (t) => {
    const site = await startPageSite(t);
    const api = await startApi(t, { secrets: [{ name: "panel", secret }] });
    count(api.store, userUplink("alice"), 5);
    const shown = await use(t, site, [{ api: api.url, secret, pattern: "" }]);
    assert.deepEqual(
      shown.map(({ said, rows }) => [said, rows]),
      [["Failed to fetch", []]],
    );
  });
});
