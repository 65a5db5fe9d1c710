import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  formatConnectTarget,
  parseAbsoluteTarget,
  parseConnectTarget,
} from "../../../src/proxy/http/http-target.js";

describe("parseConnectTarget", () => {
  const good: readonly (readonly [target: string, host: string, port: number])[] = [
    ["127.0.0.1:80", "127.0.0.1", 80],
    ["[::1]:443", "::1", 443],
    ["[2001:db8::1]:65535", "2001:db8::1", 65_535],
    ["example.com:443", "example.com", 443],
    ["EXAMPLE.com:1", "EXAMPLE.com", 1],
    ["example.com.:00080", "example.com.", 80],
    ["bücher.example:80", "bücher.example", 80],
  ];
  for (const [target, host, port] of good) {
    it(`reads ${target}`, () => {
      assert.deepEqual(parseConnectTarget(target), { target: { host, port } });
    });
  }

  const bad: readonly string[] = [
    "",
    ":",
    ":80",
    "/",
    "*",
    "example.com",
    "example.com:",
    "example.com:0",
    "example.com:00000",
    "example.com:65536",
    "example.com:99999",
    "example.com:000080",
    "example.com:-1",
    "example.com:+80",
    "example.com:80a",
    "example.com:8e1",
    "example.com:80/",
    "example.com:80/path",
    "example.com:80:80",
    "user@example.com:80",
    "user:secret@example.com:80",
    "http://example.com:80",
    "http://example.com/",
    "//example.com:80",
    "::1:80",
    "[]:80",
    "[::1]",
    "[::1]:",
    "[::1]:0",
    "[::1]80",
    "[127.0.0.1]:80",
    "[example.com]:80",
    "[::1:80",
    "[::g]:80",
    "exa mple.com:80",
    " example.com:80",
    "example.com :80",
    "example.com: 80",
    "example.com:80 ",
    "example.com:80\n",
    "example.com\t:80",
    "example.com:٨٠",
  ];
  for (const target of bad) {
    it(`refuses ${JSON.stringify(target)}`, () => {
      const { target: parsed, reason } = parseConnectTarget(target);
      assert.equal(parsed, undefined);
      assert.match(reason, /^CONNECT target ".*" is not HOST:PORT with a port from 1 to 65535$/);
    });
  }
});

describe("parseAbsoluteTarget", () => {
  const good: readonly (readonly [url: string, host: string, port: number, header: string, path: string])[] =
    [
      ["http://example.com/", "example.com", 80, "example.com", "/"],
      ["http://example.com", "example.com", 80, "example.com", "/"],
      ["HTTP://Example.COM/A", "Example.COM", 80, "Example.COM", "/A"],
      ["http://example.com:8080/a/b", "example.com", 8080, "example.com:8080", "/a/b"],
      ["http://example.com:80/", "example.com", 80, "example.com:80", "/"],
      ["http://example.com:/", "example.com", 80, "example.com", "/"],
      ["http://example.com:65535/", "example.com", 65_535, "example.com:65535", "/"],
      ["http://example.com?q", "example.com", 80, "example.com", "/?q"],
      ["http://example.com/?q=http://a@b:0/", "example.com", 80, "example.com", "/?q=http://a@b:0/"],
      ["http://example.com//a/../b/./%2e%2E/%zz", "example.com", 80, "example.com", "//a/../b/./%2e%2E/%zz"],
      ["http://example.com/a?", "example.com", 80, "example.com", "/a?"],
      ["http://example.com/a@b:c", "example.com", 80, "example.com", "/a@b:c"],
      ["http://127.0.0.1:81/", "127.0.0.1", 81, "127.0.0.1:81", "/"],
      ["http://[::1]/", "::1", 80, "[::1]", "/"],
      ["http://[2001:db8::1]:81/x", "2001:db8::1", 81, "[2001:db8::1]:81", "/x"],
      ["http://under_score.example/", "under_score.example", 80, "under_score.example", "/"],
    ];
  for (const [url, host, port, header, path] of good) {
    it(`reads ${url}`, () => {
      assert.deepEqual(parseAbsoluteTarget(url, "GET"), {
        target: { origin: { host, port }, host: header, path },
      });
    });
  }

  it("asks about the server as a whole with OPTIONS of a bare host", () => {
    assert.equal(parseAbsoluteTarget("http://example.com", "OPTIONS").target?.path, "*");
    assert.equal(parseAbsoluteTarget("http://example.com/", "OPTIONS").target?.path, "/");
    assert.equal(parseAbsoluteTarget("http://example.com?q", "OPTIONS").target?.path, "/?q");
  });

  const bad: readonly (readonly [reason: RegExp, targets: readonly string[]])[] = [
    [
      /is no absolute URL, which a proxy needs: http:\/\/HOST\[:PORT\]/,
      [
        "",
        "/",
        "/path",
        "*",
        "example.com",
        "example.com:80",
        "//example.com/",
        "http:/example.com",
        "://a/",
      ],
    ],
    [
      /is no absolute URL/,
      ["http://example.com/#a", "http://example.com#", "http://a/?q#f", "http:example.com"],
    ],
    [
      /is not of the scheme http; other schemes need CONNECT$/,
      ["https://example.com/", "ftp://example.com/", "ws://example.com/", "httpx://a/", "file:///etc/passwd"],
    ],
    [
      /has user info, which is not allowed$/,
      [
        "http://user@example.com/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http://a@b@c/",
      ],
    ],
    [
      /has no valid HOST\[:PORT\] with a port from 1 to 65535$/,
      [
        "http:///",
        "http://",
        "http://:80/",
        "http://example.com:0/",
        "http://example.com:00000/",
        "http://example.com:65536/",
        "http://example.com:99999/",
        "http://example.com:000080/",
        "http://example.com:-1/",
        "http://example.com:80a/",
        "http://example.com:80:80/",
        "http://::1/",
        "http://[]/",
        "http://[::1/",
        "http://[::1]80/",
        "http://[::1]:0/",
        "http://[example.com]/",
        "http://exa mple.com/",
        "http://exa\tmple.com/",
        "http://exa\r\nX: y/",
        'http://exa"mple.com/',
        "http://exa<mple>.com/",
        "http://exa\\mple.com/",
        "http://b\u00fccher.example/",
      ],
    ],
  ];
  for (const [reason, targets] of bad) {
    for (const target of targets) {
      it(`refuses ${JSON.stringify(target)}`, () => {
        const parsed = parseAbsoluteTarget(target, "GET");
        assert.equal(parsed.target, undefined);
        assert.match(parsed.reason, reason);
      });
    }
  }
});

describe("formatConnectTarget", () => {
  const good: readonly (readonly [host: string, port: number, target: string])[] = [
    ["example.com", 443, "example.com:443"],
    ["EXAMPLE.com.", 1, "EXAMPLE.com.:1"],
    ["a_b.example", 65_535, "a_b.example:65535"],
    ["127.0.0.1", 80, "127.0.0.1:80"],
    ["2001:db8::1", 80, "[2001:db8::1]:80"],
    ["127.1", 80, "127.1:80"],
    ["bücher.example", 80, "xn--bcher-kva.example:80"],
    ["пример.рф", 443, "xn--e1afmkfd.xn--p1ai:443"],
    ["n".repeat(300), 80, `${"n".repeat(300)}:80`],
  ];
  for (const [host, port, target] of good) {
    it(`writes ${host.slice(0, 20)} port ${port}`, () => {
      assert.equal(formatConnectTarget({ host, port }), target);
    });
  }

  it("writes what parseConnectTarget reads", () => {
    for (const [host, port] of [
      ["example.com", 443],
      ["127.0.0.1", 80],
      ["::1", 65_535],
    ] as const) {
      const target = formatConnectTarget({ host, port }) ?? "";
      assert.deepEqual(parseConnectTarget(target), { target: { host, port } });
    }
  });

  for (const host of [
    "",
    "a b",
    "a:b",
    "a/b",
    "a@b",
    "a?b",
    "a#b",
    "[::1]",
    "a\\b",
    "a\r\nb",
    "\u0000",
    "ü ",
    "ü/",
    "ü@evil.example",
    "ü:80",
    "ü%2f",
    "ü\\u200b/",
    "１２７.0.0.1",
    "ü／evil.example",
    "ü＠evil.example",
    "ü：80",
  ]) {
    it(`has no way to write ${JSON.stringify(host)}`, () => {
      assert.equal(formatConnectTarget({ host, port: 80 }), undefined);
    });
  }
});

describe("the reason of a target that is refused", () => {
  const secrets: readonly string[] = [
    "http://user:hunter2@example.com/",
    "http://user:hunter2@example.com:0/",
    "http://hunter2@a@example.com/",
    "http://user:hunter2%40@example.com/#",
    "https://user:hunter2@example.com/path",
    "ftp://user:hunter2@example.com/a/b",
    "//user:hunter2@example.com/",
    "user:hunter2@example.com:80",
    "user:hunter2@",
    "http:user:hunter2@example.com",
    "http:/user:hunter2@example.com/",
    "http://user:hunt/hunter2@example.com/",
    "http://user:hunt?hunter2@example.com/",
    "http://user:hunt\nhunter2@example.com/",
    "/user:hunter2@example.com",
  ];
  for (const target of secrets) {
    it(`shows no password of ${JSON.stringify(target)}`, () => {
      const reasons = [parseConnectTarget(target).reason, parseAbsoluteTarget(target, "GET").reason];
      assert.doesNotMatch(reasons.join(), /hunter2/);
    });
  }

  it("shows the first hundred characters of it", () => {
    const { reason = "" } = parseAbsoluteTarget("x".repeat(5_000), "GET");
    assert.ok(reason.includes(`"${"x".repeat(100)}…"`), reason);
    assert.ok(!reason.includes("x".repeat(101)));
  });

  it("is one line", () => {
    assert.doesNotMatch(parseAbsoluteTarget("a\r\nb\u0000c\u001b[1m", "GET").reason ?? "", /\p{Cc}/u);
  });
});
