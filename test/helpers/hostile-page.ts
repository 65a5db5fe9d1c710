/** An API that a page attacks, and how the page itself reaches it. */
export interface HostileTarget {
  /** Such as `http://127.0.0.1:10085`. */
  readonly api: string;
  /** Where the page asks to have it looked at after each attack. */
  readonly check: string;
  /** An address of the attacker's that redirects to the path behind it at the API. */
  readonly redirect: string;
}

/** What one attack came to. */
export interface HostileOutcome {
  readonly attack: string;
  /** Everything that the page got to know. */
  readonly learned: string;
}

/** How many attacks there are. */
export const hostileCount = 30;

/**
 * A module of a page that tries whatever a browser lets a page do to another server, one attack after the other. Its result is
 * a list of {@link HostileOutcome}, over all targets.
 *
 * @param maxCount - How many of the attacks are tried on each. Default: all of them.
 */
export function hostileModule(targets: readonly HostileTarget[], maxCount = hostileCount): string {
  return `
    const targets = ${JSON.stringify(targets)};
    ${library}
    export const result = [];
    for (const target of targets) {
      for (const [attack, carryOut] of Object.entries(attacksOn(target)).slice(0, ${maxCount})) {
        await look(target, "before", attack);
        const learned = await Promise.resolve(carryOut()).catch(() => "");
        result.push({ attack, learned: String(learned ?? "") });
        await look(target, "after", attack);
      }
    }
  `;
}

const library = `
  const service = "/v2ray.core.app.stats.command.StatsService";
  const reset = JSON.stringify({ patterns: [""], reset: true });
  const form = { name: '{"patterns":[""],"reset":true,"x":"', value: '"}' };
  const look = async ({ check }, when, attack) => {
    const query = new URLSearchParams({ when, attack });
    await fetch(check + "?" + query);
  };
  const ended = (element, ...events) =>
    new Promise((resolve) => events.forEach((event) => element.addEventListener(event, resolve, { once: true })));
  const told = async (asked) => {
    const answer = await asked;
    return [...answer.headers].join() + (await answer.text());
  };
  /** Loads it as something else than what it is, and tells what the window then has or was told. */
  const loadAs = async (tag, attribute, url, more = {}) => {
    const known = new Set(Object.getOwnPropertyNames(window));
    const errors = [];
    const onError = ({ message, lineno, colno }) => errors.push(message, lineno, colno);
    window.addEventListener("error", onError);
    const element = Object.assign(document.createElement(tag), more);
    const done = ended(element, "load", "error", "loadedmetadata");
    element[attribute] = url;
    document.body.append(element);
    await done;
    window.removeEventListener("error", onError);
    let inside = "";
    try {
      inside += element.contentDocument?.documentElement?.textContent ?? "";
      inside += element.contentWindow?.document.documentElement.textContent ?? "";
      inside += Array.from(element.sheet?.cssRules ?? [], (rule) => rule.cssText).join();
    } catch {
      // That the browser does not let it is what is hoped for.
    }
    const size = [element.naturalWidth, element.videoWidth].filter((pixels) => pixels > 0).join();
    element.remove();
    const added = Object.getOwnPropertyNames(window).filter((name) => !known.has(name));
    return [inside, size, ...added, ...errors.filter((error) => error !== "Script error." && error !== 0)].join("");
  };
  const inFrame = async (html, sandbox) => {
    const frame = document.createElement("iframe");
    frame.sandbox = sandbox;
    const heard = ended(window, "message");
    frame.srcdoc = html;
    document.body.append(frame);
    const { data } = await heard;
    frame.remove();
    return data;
  };
  const postForm = async (url, enctype) => {
    const frame = Object.assign(document.createElement("iframe"), { name: "target" });
    document.body.append(frame);
    const input = Object.assign(document.createElement("input"), form);
    const element = Object.assign(document.createElement("form"), { action: url, method: "post", enctype, target: "target" });
    element.append(input);
    document.body.append(element);
    const done = ended(frame, "load");
    element.submit();
    await done;
    let inside = "";
    try {
      inside = frame.contentDocument?.documentElement?.textContent ?? "";
    } catch {
      // As above.
    }
    element.remove();
    frame.remove();
    return inside;
  };

  const attacksOn = ({ api, redirect }) => {
    const query = api + service + "/QueryStats";
    const sysStats = api + service + "/GetSysStats?connect=v1&encoding=json&message=%7B%7D";
    const post = { method: "POST", body: reset };
    const text = { ...post, headers: { "content-type": "text/plain" } };
    return {
      "fetch with Connect's JSON": () => told(fetch(query, { ...post, headers: { "content-type": "application/json" } })),
      "fetch with gRPC-Web": () => told(fetch(query, { ...post, headers: { "content-type": "application/grpc-web" } })),
      "fetch with a guessed secret": () => told(fetch(query, { ...post, headers: { "content-type": "application/json", authorization: "Bearer guess" } })),
      "fetch with credentials": () => told(fetch(query, { ...text, credentials: "include" })),
      "fetch of text, which needs no preflight": () => told(fetch(query, text)),
      "fetch of form data, which needs none": () => told(fetch(query, { method: "POST", body: new URLSearchParams([[form.name, form.value]]) })),
      "fetch without CORS": () => told(fetch(query, { ...text, mode: "no-cors" })),
      "fetch without CORS nor referrer": () => told(fetch(query, { ...text, mode: "no-cors", referrerPolicy: "no-referrer" })),
      "fetch by a redirect": () => told(fetch(redirect + service + "/QueryStats", { ...text, mode: "no-cors" })),
      "fetch by a redirect, with CORS": () => told(fetch(redirect + service + "/QueryStats", text)),
      "fetch of a call with GET": () => told(fetch(sysStats)),
      "fetch of the metrics": () => told(fetch(api + "/metrics")),
      "fetch of the variables": () => told(fetch(api + "/debug/vars")),
      "XMLHttpRequest": async () => {
        const request = new XMLHttpRequest();
        request.open("POST", query);
        request.setRequestHeader("content-type", "application/json");
        request.send(reset);
        await ended(request, "loadend");
        return request.responseText + request.getAllResponseHeaders();
      },
      "a beacon": () => void navigator.sendBeacon(query, reset),
      "a WebSocket": async () => {
        const socket = new WebSocket(query.replace("http", "ws"));
        const heard = [];
        socket.onmessage = ({ data }) => heard.push(data);
        await ended(socket, "close");
        return heard.join("");
      },
      "an EventSource": async () => {
        const source = new EventSource(api + "/metrics");
        await ended(source, "error", "message");
        source.close();
      },
      "a worker": async () => {
        const code = "fetch(" + JSON.stringify(query) + ", " + JSON.stringify(text) + ").then((answer) => answer.text()).then(postMessage, () => postMessage(''))";
        const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
        const { data } = await ended(worker, "message");
        worker.terminate();
        return data;
      },
      "a sandbox": () => inFrame("<script>fetch(" + JSON.stringify(query) + ", " + JSON.stringify(text) + ").then((answer) => answer.text()).then((told) => parent.postMessage(told, '*'), () => parent.postMessage('', '*'))<\\/script>", "allow-scripts"),
      "a form of text": () => postForm(query, "text/plain"),
      "a form": () => postForm(query, "application/x-www-form-urlencoded"),
      "an image of the metrics": () => loadAs("img", "src", api + "/metrics"),
      "an image of a call": () => loadAs("img", "src", sysStats),
      "a script of the metrics": () => loadAs("script", "src", api + "/metrics"),
      "a script of the variables": () => loadAs("script", "src", api + "/debug/vars"),
      "a module of the variables": () => loadAs("script", "src", api + "/debug/vars", { type: "module" }),
      "a style sheet of the metrics": () => loadAs("link", "href", api + "/metrics", { rel: "stylesheet" }),
      "a frame of the metrics": () => loadAs("iframe", "src", api + "/metrics"),
      "a frame of a call": () => loadAs("iframe", "src", query + "?connect=v1&encoding=json&message=" + encodeURIComponent(reset)),
      "a video of the variables": () => loadAs("video", "src", api + "/debug/vars"),
    };
  };
`;
