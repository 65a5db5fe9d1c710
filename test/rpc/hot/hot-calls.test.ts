import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createContextValues } from "@connectrpc/connect";
import { CallTally } from "../../../src/rpc/call-tally.js";
import { createCheapGzip } from "../../../src/rpc/gzip.js";
import { createHotCalls, type HotCaller, type RequestHead } from "../../../src/rpc/hot/hot-calls.js";
import type { HotAnswer } from "../../../src/rpc/hot/hot-method.js";
import { connect, grpc, protocols } from "../../helpers/same-answers.js";

const path = "/a.Service/Method";

/** Hot calls of one method, whose requests are text, and the tally of its calls. */
function createCalls(answer: (text: string) => HotAnswer = () => () => []) {
  const tally = new CallTally("a.Service", "Method");
  const find = createHotCalls({
    methods: [
      {
        path,
        read: (request) => {
          const text = Buffer.from(request).toString();
          if (text === "malformed") throw new Error("malformed");
          return answer(text);
        },
      },
      { path: "/a.Service/Uncounted", read: () => () => [] },
    ],
    maxRequestBytes: 100,
    compression: createCheapGzip(),
    tallyOf: (asked) => (asked === path ? tally : undefined),
  });
  return { tally, find };
}

const waiting: HotCaller = { values: createContextValues(), isGone: () => false };

describe("createHotCalls()", () => {
  const head: RequestHead = { verb: "POST", path, headers: connect.headers };
  for (const { what, isFound, ...more } of [
    { what: "a call", isFound: true },
    { what: "another method of HTTP", verb: "GET", isFound: false },
    { what: "no method of HTTP", verb: undefined, isFound: false },
    { what: "another path", path: "/a.Service/Other", isFound: false },
    { what: "a path with a query", path: `${path}?`, isFound: false },
    { what: "no path", path: undefined, isFound: false },
    { what: "a method that nobody counts", path: "/a.Service/Uncounted", isFound: false },
    { what: "no content type", headers: {}, isFound: false },
    { what: "another content type", headers: { "content-type": "application/xml" }, isFound: false },
    { what: "JSON", headers: { "content-type": "application/json" }, isFound: true },
    ...[
      { header: { "content-encoding": "identity" }, isFound: true },
      { header: { "content-encoding": "gzip" }, isFound: false },
      { header: { "content-encoding": "" }, isFound: false },
      { header: { "grpc-encoding": "gzip" }, isFound: true },
      { header: { "connect-timeout-ms": "5" }, isFound: true },
      { header: { "connect-timeout-ms": "soon" }, isFound: false },
      { header: { "grpc-timeout": "soon" }, isFound: true },
      { header: { "content-length": "100" }, isFound: true },
      { header: { "content-length": "101" }, isFound: false },
      { header: { "accept-encoding": "x, y" }, isFound: true },
    ].map(({ header, isFound }) => ({
      what: JSON.stringify(header),
      headers: { ...connect.headers, ...header },
      isFound,
    })),
    { what: "gRPC, promising much", headers: { ...grpc.headers, "content-length": "9999" }, isFound: true },
  ]) {
    it(`${isFound ? "takes" : "leaves to the router"}: ${what}`, () => {
      assert.equal(createCalls().find({ ...head, ...more }) !== undefined, isFound);
    });
  }

  for (const { protocol, headers, wrap } of protocols) {
    it(`answers with what the method makes, and counts it: ${protocol}`, async () => {
      const { find, tally } = createCalls((text) => () => [Buffer.from(`re: ${text}`)]);
      const reply = await find({ verb: "POST", path, headers })?.answer(wrap(Buffer.from("hello")), waiting);
      assert.ok(reply !== undefined && Buffer.concat(reply.body).includes("re: hello"));
      assert.deepEqual([...tally.list()], [["ok", 1]]);
    });

    it(`leaves a malformed message to the router, and counts nothing: ${protocol}`, () => {
      const { find, tally } = createCalls();
      const call = find({ verb: "POST", path, headers });
      assert.equal(call?.answer(wrap(Buffer.from("malformed")), waiting), undefined);
      assert.deepEqual([...tally.list()], [["ok", 0]]);
    });

    it(`counts a failure by its code: ${protocol}`, async () => {
      const { find, tally } = createCalls(() => () => {
        throw new TypeError("secret");
      });
      const reply = await find({ verb: "POST", path, headers })?.answer(wrap(Buffer.alloc(0)), waiting);
      assert.equal(JSON.stringify(reply).includes("secret"), false);
      assert.deepEqual(
        [...tally.list()],
        [
          ["ok", 0],
          ["internal", 1],
        ],
      );
    });
  }

  it("reads a body once, whether it is asked about before or not", async () => {
    let readCount = 0;
    const { find } = createCalls(() => {
      readCount += 1;
      return () => [];
    });
    const call = find({ verb: "POST", path, headers: grpc.headers });
    const body = grpc.wrap(Buffer.from("a"));
    assert.equal(call?.isReadable(body), true);
    assert.equal(call.isReadable(grpc.wrap(Buffer.from("malformed"))), false);
    assert.equal(call.isReadable(body), true);
    readCount = 0;
    assert.equal((await call.answer(body, waiting))?.status, 200);
    assert.equal(readCount, 0);
  });

  it("leaves a body to the router that is not as long as was promised", async () => {
    const { find } = createCalls();
    const call = find({ ...head, headers: { ...connect.headers, "content-length": "5" } });
    assert.equal(call?.answer(Buffer.from("four"), waiting), undefined);
    assert.equal((await call?.answer(Buffer.from("fives"), waiting))?.status, 200);
  });

  it("lets the call know what is known of it", async () => {
    const seen: unknown[] = [];
    const { find } = createCalls(() => ({ values }) => {
      seen.push(values);
      return [];
    });
    await find(head)?.answer(Buffer.alloc(0), waiting);
    assert.deepEqual(seen, [waiting.values]);
  });

  it("tells a call that its caller is gone, or that it is late", async (t) => {
    let now = 1_000;
    t.mock.method(performance, "now", () => now);
    const { find, tally } = createCalls(() => ({ signal }) => {
      signal.throwIfAborted();
      return [];
    });
    const timely = find({ ...head, headers: { ...connect.headers, "connect-timeout-ms": "50" } });
    await timely?.answer(Buffer.alloc(0), waiting);
    await timely?.answer(Buffer.alloc(0), { ...waiting, isGone: () => true });
    now += 49;
    await timely?.answer(Buffer.alloc(0), waiting);
    now += 1;
    await timely?.answer(Buffer.alloc(0), waiting);
    assert.deepEqual(
      [...tally.list()],
      [
        ["ok", 2],
        ["canceled", 1],
        ["deadline_exceeded", 1],
      ],
    );
  });

  it("goes on compressing after callers have said a thousand things of what they take", async () => {
    const { find } = createCalls(() => () => [Buffer.alloc(10_000)]);
    const lengthFor = async (accepted: string): Promise<number> => {
      const call = find({ ...head, headers: { ...connect.headers, "accept-encoding": accepted } });
      return Buffer.concat((await call?.answer(Buffer.alloc(0), waiting))?.body ?? []).length;
    };
    for (let index = 0; index < 1_000; index++)
      find({ ...head, headers: { ...connect.headers, "accept-encoding": `x${index}` } });
    assert.ok((await lengthFor("gzip")) < 1_000);
    assert.ok((await lengthFor("gzip, y")) < 1_000);
    assert.equal(await lengthFor("x5"), 10_000);
    assert.equal(await lengthFor("x999"), 10_000);
  });
});
