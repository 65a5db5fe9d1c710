import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { countHeader, endToEndHeaders } from "../../../src/proxy/http/http-headers.js";

describe("endToEndHeaders", () => {
  const hopByHop = [
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Content-Length",
  ];
  for (const name of hopByHop) {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      it(`leaves ${spelling} out`, () => {
        assert.deepEqual(endToEndHeaders(["A", "1", spelling, "x", "B", "2"]), ["A", "1", "B", "2"]);
      });
    }
  }

  it("keeps order, spelling, duplicates and empty values of the rest", () => {
    const headers = [
      "X-b",
      "2",
      "x-B",
      "1",
      "Set-Cookie",
      "a",
      "Set-Cookie",
      "a",
      "E",
      "",
      "accept",
      " */* ",
    ];
    assert.deepEqual(endToEndHeaders(headers), headers);
  });

  const named: readonly (readonly [title: string, connection: readonly string[]])[] = [
    ["one", ["Connection", "x-own"]],
    ["one of several", ["Connection", "close, X-Own ,keep-alive"]],
    ["one in odd case", ["cOnNeCtIoN", "X-oWN"]],
    ["one between tabs", ["Connection", "\tX-Own\t,\t"]],
    ["one behind empty members", ["Connection", ",, ,X-Own,,"]],
    ["one in a second Connection", ["Connection", "close", "Connection", "X-Own"]],
    ["one in Proxy-Connection", ["Proxy-Connection", "X-Own"]],
  ];
  for (const [title, connection] of named) {
    it(`leaves out what Connection names: ${title}`, () => {
      const headers = ["X-Own", "1", "X-Owner", "2", ...connection, "x-own", "3"];
      assert.deepEqual(endToEndHeaders(headers), ["X-Owner", "2"]);
    });
  }

  it("leaves out what the caller names", () => {
    assert.deepEqual(endToEndHeaders(["HOST", "a", "Hosts", "b"], ["host"]), ["Hosts", "b"]);
  });

  it("makes nothing of nothing", () => {
    assert.deepEqual(endToEndHeaders([]), []);
  });
});

describe("countHeader", () => {
  it("counts a header in every spelling, and no other", () => {
    const headers = ["Host", "a", "X", "host", "HOST", "b", "Hosts", "c"];
    assert.equal(countHeader(headers, "host"), 2);
    assert.equal(countHeader(headers, "x"), 1);
    assert.equal(countHeader(headers, "a"), 0);
    assert.equal(countHeader([], "host"), 0);
  });
});
