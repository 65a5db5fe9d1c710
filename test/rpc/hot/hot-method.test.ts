import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createContextValues } from "@connectrpc/connect";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import type { CallContext } from "../../../src/rpc/call-context.js";
import { hotUnary, hotWritten } from "../../../src/rpc/hot/hot-method.js";
import { paths } from "../../helpers/api-server.js";
import { getStatsRequest, getStatsValue } from "../../helpers/grpc.js";

const context: CallContext = { values: createContextValues(), signal: new AbortController().signal };
const request = getStatsRequest({ name: "a", reset: true });

describe("hotUnary()", () => {
  it("reads the request, and writes the answer", async () => {
    const seen: unknown[] = [];
    const { path, read } = hotUnary(StatsService.method.getStats, ({ name, reset }, given) => {
      seen.push([name, reset, given]);
      return { stat: { name, value: 5n } };
    });
    assert.equal(path, paths.getStats);
    const answer = read(request, true);
    assert.deepEqual(seen, []);
    assert.equal(getStatsValue(Buffer.concat(await answer(context))), 5n);
    assert.deepEqual(seen, [["a", true, context]]);
  });

  it("reads and writes JSON", async () => {
    const { read } = hotUnary(StatsService.method.getStats, ({ name, reset }) => ({
      stat: { name: `${name}|${reset}`, value: 5n },
    }));
    const answer = await read(Buffer.from('{"name":"a","reset":true}'), false)(context);
    assert.equal(Buffer.concat(answer).toString(), '{"stat":{"name":"a|true","value":"5"}}');
  });

  it("reads an empty request as one with nothing in it", async () => {
    const { read } = hotUnary(StatsService.method.getStats, ({ name, reset }) => ({
      stat: { name: `${name}|${reset}`, value: 1n },
    }));
    assert.ok(Buffer.concat(await read(Buffer.alloc(0), true)(context)).includes("|false"));
  });

  it("throws for a malformed request, before anything is done", () => {
    let callCount = 0;
    const { read } = hotUnary(StatsService.method.getStats, () => {
      callCount += 1;
      return {};
    });
    for (const bytes of [[0xff], [0x0a, 5, 0x61], [0x0a, 2, 0xc3, 0x28]]) {
      assert.throws(() => read(Buffer.from(bytes), true));
    }
    assert.equal(callCount, 0);
  });
});

describe("hotWritten()", () => {
  it("tells what is to be written", () => {
    const asked: boolean[] = [];
    const { read } = hotWritten(StatsService.method.queryStats, (_request, _context, isBinary) => {
      asked.push(isBinary);
      return [];
    });
    void read(Buffer.alloc(0), true)(context);
    void read(Buffer.from("{}"), false)(context);
    assert.deepEqual(asked, [true, false]);
  });

  it("hands on the bytes that were written, now or later", async () => {
    const pieces = [Buffer.from("a"), Buffer.from("b")];
    const now = hotWritten(StatsService.method.queryStats, () => pieces);
    assert.equal(await now.read(Buffer.alloc(0), true)(context), pieces);
    const later = hotWritten(StatsService.method.queryStats, async () => Promise.resolve(pieces));
    assert.equal(await later.read(Buffer.alloc(0), true)(context), pieces);
    assert.equal(later.path, paths.queryStats);
  });
});
