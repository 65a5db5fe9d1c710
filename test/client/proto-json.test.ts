import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  toAddressesJson,
  toStatJson,
  toStatsJson,
  toSysJson,
  toUsersJson,
} from "../../src/client/proto-json.js";

describe("proto3's JSON of what was read", () => {
  const most = 2n ** 63n - 1n;

  const table: readonly (readonly [title: string, json: string, text: string])[] = [
    ["no counters", toStatsJson([]), "{}"],
    [
      "counters, whose values are strings and absent at 0",
      toStatsJson([
        { name: "a", value: most },
        { name: "b", value: 0n },
      ]),
      '{"stat":[{"name":"a","value":"9223372036854775807"},{"name":"b"}]}',
    ],
    ["one counter", toStatJson({ name: 'a"\n', value: 1n }), '{"stat":{"name":"a\\"\\n","value":"1"}}'],
    [
      "figures, whose names keep their capitals",
      toSysJson({
        ...{ NumGoroutine: 1, NumGC: 2, Alloc: 3n, TotalAlloc: 4n, Sys: 5n, Mallocs: 0n, Frees: 0n },
        ...{ LiveObjects: 0n, PauseTotalNs: 2n ** 64n - 1n, Uptime: 6 },
      }),
      '{"NumGoroutine":1,"NumGC":2,"Alloc":"3","TotalAlloc":"4","Sys":"5","PauseTotalNs":"18446744073709551615","Uptime":6}',
    ],
    [
      "users",
      toUsersJson([{ user: "alice", addresses: [{ address: "::1", lastSeen: 7n }] }]),
      '{"users":[{"email":"alice","ips":[{"ip":"::1","lastSeen":"7"}]}]}',
    ],
    [
      "addresses",
      toAddressesJson("user>>>alice>>>online", [{ address: "::1", lastSeen: 0n }]),
      '{"name":"user>>>alice>>>online","ips":{"::1":"0"}}',
    ],
  ];
  for (const [title, json, text] of table) {
    it(`is that of ${title}`, () => {
      assert.equal(json, text);
    });
  }
});
