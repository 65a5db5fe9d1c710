import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { dropEndlessDeadlines } from "../../src/rpc/deadline.js";
import { count, paths, startApi, userUplink } from "../helpers/api-server.js";
import { envelope, getStatsRequest } from "../helpers/grpc.js";
import { allBegun, openSession, openStream, readAnswer, sendHttp1, sendHttp2 } from "../helpers/raw-http.js";

const alice = userUplink("alice");

const deadlines = [
  { header: "grpc-timeout", value: "99999999H", isEndless: true },
  { header: "grpc-timeout", value: "597H", isEndless: true },
  { header: "grpc-timeout", value: "596H", isEndless: false },
  { header: "grpc-timeout", value: "35792M", isEndless: true },
  { header: "grpc-timeout", value: "35791M", isEndless: false },
  { header: "grpc-timeout", value: "2147484S", isEndless: true },
  { header: "grpc-timeout", value: "2147483S", isEndless: false },
  { header: "grpc-timeout", value: "99999999m", isEndless: false },
  { header: "grpc-timeout", value: "99999999u", isEndless: false },
  { header: "grpc-timeout", value: "99999999n", isEndless: false },
  { header: "grpc-timeout", value: "0H", isEndless: false },
  { header: "grpc-timeout", value: "999999999H", isEndless: false },
  { header: "grpc-timeout", value: "99999999h", isEndless: false },
  { header: "grpc-timeout", value: "-99999999H", isEndless: false },
  { header: "grpc-timeout", value: "x", isEndless: false },
  { header: "connect-timeout-ms", value: "9999999999", isEndless: true },
  { header: "connect-timeout-ms", value: "2147483648", isEndless: true },
  { header: "connect-timeout-ms", value: "2147483647", isEndless: false },
  { header: "connect-timeout-ms", value: "0", isEndless: false },
  { header: "connect-timeout-ms", value: "99999999999", isEndless: false },
  { header: "connect-timeout-ms", value: "1e99", isEndless: false },
  { header: "connect-timeout-ms", value: "Infinity", isEndless: false },
  { header: "connect-timeout-ms", value: "0xffffffffff", isEndless: false },
  { header: "connect-timeout-ms", value: "", isEndless: false },
];

describe("dropEndlessDeadlines()", () => {
  for (const { header, value, isEndless } of deadlines) {
    it(`${isEndless ? "drops" : "keeps"} ${header}: ${value}`, () => {
      const headers = new Headers({ [header]: value, other: "1" });
      dropEndlessDeadlines(headers);
      assert.deepEqual(
        [...headers],
        isEndless ? [["other", "1"]] : [...new Headers({ [header]: value, other: "1" })],
      );
    });
  }

  it("leaves headers without a deadline alone", () => {
    const headers = new Headers();
    dropEndlessDeadlines(headers);
    assert.deepEqual([...headers], []);
  });
});

const grpcHeaders = { "content-type": "application/grpc", te: "trailers" };
const jsonHeaders = { "content-type": "application/json" };

/** Stops the time. @returns what has so many milliseconds pass. */
function mockTime(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let nowMs = performance.now();
  t.mock.method(performance, "now", () => nowMs);
  return (ms) => {
    nowMs += ms;
    t.mock.timers.tick(ms);
  };
}

describe("a deadline", { timeout: 20_000 }, () => {
  for (const { header, value } of [
    { header: "grpc-timeout", value: "99999999H" },
    { header: "grpc-timeout", value: "1H" },
    { header: "grpc-timeout", value: "2147484S" },
    { header: "connect-timeout-ms", value: "9999999999" },
    { header: "connect-timeout-ms", value: "2147483648" },
  ]) {
    it(`of ${header} ${value} has not expired, though the request is slow`, async (t) => {
      const api = await startApi(t);
      count(api.store, alice, 1);
      const isGrpc = header === "grpc-timeout";
      const headers = { ...(isGrpc ? grpcHeaders : jsonHeaders), [header]: value };
      const body = isGrpc ? envelope(getStatsRequest({ name: alice })) : Buffer.from(`{"name":"${alice}"}`);
      const session = openSession(t, api.port);
      const stream = openStream(session, { path: paths.getStats, headers });
      stream.write(body.subarray(0, 10));
      const answering = readAnswer(stream);
      await allBegun(session);
      // Node's timers take a delay that is too long for one of 1 ms, which ends before one that is longer and begins later.
      await delay(2);
      stream.end(body.subarray(10));
      const answer = await answering;
      assert.equal(answer.status, 200);
      assert.equal(answer.trailers["grpc-status"], isGrpc ? "0" : undefined);
    });
  }

  for (const value of ["1e99", "99999999999", "-1", "soon"]) {
    it(`of connect-timeout-ms ${value} is refused as malformed, and resets nothing`, async (t) => {
      const api = await startApi(t);
      const counter = count(api.store, alice, 1);
      const headers = { ...jsonHeaders, "connect-timeout-ms": value };
      const body = JSON.stringify({ name: alice, reset: true });
      const answer = await sendHttp1(api.port, { path: paths.getStats, headers, body });
      assert.equal(answer.status, 400);
      assert.match(answer.body.toString(), /"invalid_argument"/);
      assert.equal(counter.value, 1n);
    });
  }

  it("that expires before a slow request is whole resets nothing: Connect", async (t) => {
    const pass = mockTime(t);
    const api = await startApi(t);
    const counter = count(api.store, alice, 1);
    const headers = { ...jsonHeaders, "connect-timeout-ms": "5" };
    const session = openSession(t, api.port);
    const stream = openStream(session, { path: paths.getStats, headers });
    const body = JSON.stringify({ name: alice, reset: true });
    stream.write(body.slice(0, 10));
    const answering = readAnswer(stream);
    await allBegun(session);
    pass(5);
    stream.end(body.slice(10));
    const answer = await answering;
    assert.equal(answer.status, 504);
    assert.match(answer.body.toString(), /"deadline_exceeded"/);
    assert.equal(counter.value, 1n);
    assert.equal(counter.reset(), 1n);
  });

  it("that expires before a slow request is whole resets nothing: gRPC", async (t) => {
    const pass = mockTime(t);
    const api = await startApi(t);
    const counter = count(api.store, alice, 1);
    const headers = { ...grpcHeaders, "grpc-timeout": "5m" };
    const session = openSession(t, api.port);
    const stream = openStream(session, { path: paths.getStats, headers });
    const body = envelope(getStatsRequest({ name: alice, reset: true }));
    stream.write(body.subarray(0, 10));
    const answering = readAnswer(stream);
    await allBegun(session);
    pass(5);
    stream.end(body.subarray(10));
    const answer = await answering;
    assert.equal(answer.trailers["grpc-status"], "4");
    assert.equal(counter.value, 1n);
  });

  it("of zero has expired at once, and resets nothing", async (t) => {
    const api = await startApi(t);
    const counter = count(api.store, alice, 1);
    const headers = { ...grpcHeaders, "grpc-timeout": "0m" };
    const body = envelope(getStatsRequest({ name: alice, reset: true }));
    const answer = await sendHttp2(api.port, { path: paths.getStats, headers, body });
    assert.equal(answer.trailers["grpc-status"], "4");
    assert.equal(counter.value, 1n);
  });
});
