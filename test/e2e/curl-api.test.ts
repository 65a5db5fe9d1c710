import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { assertCounters, queryCounters, serviceNames } from "../helpers/api-client.js";
import { testConfig, useCli } from "../helpers/cli.js";
import { useOrigin } from "../helpers/origin.js";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";

const json = ["-H", "content-type: application/json"] as const;
const [v2rayService] = serviceNames;

interface CurlAnswer {
  readonly status: number;
  readonly version: string;
  /** In lower case, as curl printed them. */
  readonly head: string;
  readonly body: string;
}

/** Runs curl, whose last argument is the address, and takes its answer apart. */
async function curl(...args: readonly string[]): Promise<CurlAnswer> {
  const marks = "\n%{stderr}%{http_code} %{http_version}";
  const { code, stdout, stderr } = await runProgram("curl", ["-sS", "-g", "-i", "-w", marks, ...args]);
  assert.equal(code, 0, stderr);
  const [status = "", version = ""] = stderr.split(" ");
  const headEnd = stdout.lastIndexOf("\r\n\r\n") + 4;
  return {
    status: Number(status),
    version,
    head: stdout.slice(0, headEnd).toLowerCase(),
    body: stdout.slice(headEnd).replace(/\n$/, ""),
  };
}

const allowedOrigin = "https://panel.example";
/** A name that makes an answer long enough to be worth compressing. */
const longName = "a".repeat(250);

describe("curl at the API", needs("curl"), () => {
  const cli = useCli(
    testConfig({
      inbound: `in-${longName}`,
      outbound: `out-${longName}`,
      users: [{ username: longName, password: "a" }],
      api: { access_control_allow_origin: allowedOrigin },
    }),
  );
  const origin = useOrigin();
  const urlOf = (path: string): string => `http://${cli().api}${path}`;
  const queryUrl = (): string => urlOf(`/${v2rayService}/QueryStats`);

  it("has some traffic to read about", async () => {
    const proxy = `socks5h://${longName}:a@${cli().proxy}`;
    const { code } = await runProgram("curl", ["-s", "-x", proxy, `${origin().url}/bytes/9`]);
    assert.equal(code, 0);
    const subjects = [`inbound>>>in-${longName}`, `outbound>>>out-${longName}`, `user>>>${longName}`];
    await assertCounters(cli().api, () =>
      Object.fromEntries(
        subjects.flatMap((subject) => [
          [`${subject}>>>traffic>>>uplink`, BigInt(origin().uplinkBytes)],
          [`${subject}>>>traffic>>>downlink`, BigInt(origin().downlinkBytes)],
        ]),
      ),
    );
  });

  const transports: readonly (readonly [name: string, args: readonly string[], version: string])[] = [
    ["HTTP/1.1", ["--http1.1"], "1.1"],
    ["HTTP/1.0", ["--http1.0"], "1.1"],
    ["an upgrade to HTTP/2, which is ignored", ["--http2"], "1.1"],
    ["HTTP/2 with prior knowledge", ["--http2-prior-knowledge"], "2"],
  ];
  for (const [name, args, version] of transports) {
    it(`gets its answer over ${name}`, async () => {
      const answer = await curl(...args, ...json, "-d", "{}", queryUrl());
      assert.deepEqual([answer.status, answer.version], [200, version]);
      const expected = Object.entries(await queryCounters(cli().api)).map(([counter, value]) => ({
        name: counter,
        value: String(value),
      }));
      assert.equal(expected.length, 6);
      assert.deepEqual(JSON.parse(answer.body), { stat: expected });
    });

    it(`gets a compressed answer over ${name}`, async () => {
      const answer = await curl(...args, "--compressed", ...json, "-d", "{}", queryUrl());
      assert.match(answer.head, /^content-encoding: gzip\r$/m);
      const plain = await curl(...args, ...json, "-d", "{}", queryUrl());
      assert.doesNotMatch(plain.head, /^content-encoding/m);
      assert.deepEqual(JSON.parse(answer.body), JSON.parse(plain.body));
    });
  }

  for (const service of serviceNames) {
    it(`gets ${service}'s GetSysStats with GET`, async () => {
      const answer = await curl(urlOf(`/${service}/GetSysStats?encoding=json&message=%7B%7D`));
      assert.equal(answer.status, 200);
      const figures = JSON.parse(answer.body) as Readonly<Record<string, unknown>>;
      assert.match(String(figures["Sys"]), /^[1-9]\d*$/);
      assert.equal(typeof figures["NumGoroutine"], "number");
    });
  }

  it("cannot reset anything with GET", async () => {
    const before = await queryCounters(cli().api);
    const message = encodeURIComponent('{"reset":true}');
    const answer = await curl(urlOf(`/${v2rayService}/QueryStats?encoding=json&message=${message}`));
    assert.equal(answer.status, 405);
    assert.deepEqual(await queryCounters(cli().api), before);
  });

  const refusals: readonly (readonly [name: string, header: string, status: number, message: RegExp])[] = [
    ["a foreign Host", "Host: evil.example", 403, /host "evil\.example" is not served here/],
    ["a foreign Host with a port", "Host: evil.example:80", 403, /"evil\.example:80" is not served here/],
    ["a malformed Host", "Host: [", 400, /malformed host "\["/],
    ["a foreign Origin", "Origin: https://evil.example", 403, /origin "https:\/\/evil\.example" is not in/],
    ["the Origin null", "Origin: null", 403, /origin "null" is not in/],
  ];
  for (const [name, header, status, message] of refusals) {
    for (const transport of ["--http1.1", "--http2-prior-knowledge"]) {
      it(`is refused with ${name} (${transport})`, async () => {
        const before = await queryCounters(cli().api);
        const answer = await curl(transport, ...json, "-H", header, "-d", '{"reset":true}', queryUrl());
        assert.equal(answer.status, status);
        const { message: text } = JSON.parse(answer.body) as { readonly message: string };
        assert.match(text, message);
        assert.deepEqual(await queryCounters(cli().api), before);
      });
    }
  }

  it("is refused with an empty Host", async () => {
    const answer = await curl("--http1.1", ...json, "-H", "Host;", "-d", "{}", queryUrl());
    assert.equal(answer.status, 400);
    assert.match(answer.body, /malformed host \\"\\"/);
  });

  it("may call from an allowed Origin", async () => {
    const answer = await curl(...json, "-H", `Origin: ${allowedOrigin}`, "-d", "{}", queryUrl());
    assert.equal(answer.status, 200);
    assert.ok(answer.head.includes(`access-control-allow-origin: ${allowedOrigin}\r\n`));
  });

  const bad: readonly (readonly [args: readonly string[], path: string, status: number, body: RegExp])[] = [
    [[], "/", 404, /nothing is served at \\"\/\\"/],
    [[], "/metric", 404, /nothing is served at \\"\/metric\\"/],
    [[...json, "-d", "{}"], `/${v2rayService}/Nope`, 501, /has no method \\"Nope\\"/],
    [[...json, "-d", "{}"], "/some.Service/QueryStats", 404, /unknown service \\"some\.Service\\"/],
    [[...json, "-d", "{"], `/${v2rayService}/QueryStats`, 400, /"invalid_argument"/],
    [[...json, "-d", '{"nope":1}'], `/${v2rayService}/QueryStats`, 200, /stat/],
    [["-d", "{}"], `/${v2rayService}/QueryStats`, 415, /^$/],
  ];
  for (const [args, path, status, body] of bad) {
    it(`is told ${status} at ${path} with ${JSON.stringify(args.join(" "))}`, async () => {
      const answer = await curl(...args, urlOf(path));
      assert.equal(answer.status, status);
      assert.match(answer.body, body);
    });
  }
});

describe("curl at the API, where statistics are disabled", needs("curl"), () => {
  const cli = useCli(testConfig({ api: { stats: { enabled: false } } }));

  for (const service of serviceNames) {
    it(`is told that ${service} is not implemented`, async () => {
      const { status, body } = await curl(...json, "-d", "{}", `http://${cli().api}/${service}/QueryStats`);
      assert.equal(status, 404);
      assert.equal((JSON.parse(body) as { readonly code: string }).code, "unimplemented");
    });
  }
});
