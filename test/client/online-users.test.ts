import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import {
  countOnlineAddresses,
  readOnlineAddresses,
  readOnlineNames,
  readOnlineUsers,
} from "../../src/client/online-users.js";
import { StatsClient } from "../../src/client/stats-client.js";
import type { Endpoint } from "../../src/net/endpoint.js";

import { serveRoutes, startFamilyServer, type FamilyServer } from "../helpers/family-server.js";
import { turns } from "../helpers/timing.js";

const io = { timeout: 10_000 };

async function startXray(
  t: TestContext,
): Promise<{ readonly family: FamilyServer; readonly client: StatsClient }> {
  const family = await startFamilyServer(t, "Xray");
  family.online.set("user>>>alice>>>online", { "192.0.2.7": 1_800_000_000n, "2001:db8::1": 5n });
  family.online.set("user>>>bob>>>online", { "192.0.2.8": 1_900_000_000n });
  const client = new StatsClient(family.server);
  t.after(() => {
    client[Symbol.dispose]();
  });
  return { family, client };
}

const alicesAddresses = [
  { address: "192.0.2.7", lastSeen: 1_800_000_000n },
  { address: "2001:db8::1", lastSeen: 5n },
];

describe("the client's reading of who is online", () => {
  it("counts and lists the addresses of a user", io, async (t) => {
    const { client } = await startXray(t);
    assert.equal(await countOnlineAddresses(client, "alice"), 2n);
    assert.deepEqual(await readOnlineAddresses(client, "alice"), alicesAddresses);
    assert.deepEqual(await readOnlineNames(client), ["user>>>alice>>>online", "user>>>bob>>>online"]);
  });

  it("says that a user was never seen", io, async (t) => {
    const { client } = await startXray(t);
    const expected = { code: "not_found", message: "user>>>eve>>>online not found." };
    await assert.rejects(countOnlineAddresses(client, "eve"), expected);
    await assert.rejects(readOnlineAddresses(client, "eve"), expected);
  });

  it("asks an older Xray for one user after the other", io, async (t) => {
    const { family, client } = await startXray(t);
    assert.deepEqual(await readOnlineUsers(client), [
      { user: "alice", addresses: alicesAddresses },
      { user: "bob", addresses: [{ address: "192.0.2.8", lastSeen: 1_900_000_000n }] },
    ]);
    assert.deepEqual(family.calls, [
      "v2ray.GetAllOnlineUsers",
      "v2ray.GetStatsOnlineIpList",
      "v2ray.GetStatsOnlineIpList",
    ]);
  });

  it("leaves out who is gone before being asked for", io, async (t) => {
    const { family, client } = await startXray(t);
    const push = family.calls.push.bind(family.calls);
    family.calls.push = (...calls) => {
      // Between the list of users and their addresses.
      if (calls[0] === "v2ray.GetStatsOnlineIpList") family.online.delete("user>>>bob>>>online");
      return push(...calls);
    };
    assert.deepEqual(await readOnlineUsers(client), [{ user: "alice", addresses: alicesAddresses }]);
  });

  /** A server that has users, and these answers about each of them. */
  async function startOld(
    t: TestContext,
    userCount: number,
    answer: (name: string) => Promise<void> | void,
  ): Promise<Endpoint> {
    const { getAllOnlineUsers, getStatsOnlineIpList } = StatsService.method;
    return serveRoutes(t, (router) => {
      const users = Array.from({ length: userCount }, (_, index) => `user>>>user${index}>>>online`);
      router.rpc(getAllOnlineUsers, () => ({ users }));
      router.rpc(getStatsOnlineIpList, async ({ name }) => {
        await answer(name);
        return { name, ips: { "192.0.2.7": 1n } };
      });
    });
  }

  it("gives an older Xray the time of a call for each user", io, async (t) => {
    let nowMs = 0;
    t.mock.method(performance, "now", () => nowMs);
    // Half of that time passes at every answer.
    const server = await startOld(t, 50, () => {
      nowMs += 4_500;
    });
    using client = new StatsClient(server, { timeoutMs: 9_000 });
    const users = await readOnlineUsers(client);
    assert.deepEqual(
      users.map(({ user }) => user),
      Array.from({ length: 50 }, (_, index) => `user${index}`),
    );
  });

  it("asks an older Xray for sixteen users at a time", io, async (t) => {
    let runningCount = 0;
    let mostCount = 0;
    const all = new EventEmitter();
    const full = once(all, "full");
    const server = await startOld(t, 40, async () => {
      runningCount += 1;
      mostCount = Math.max(mostCount, runningCount);
      if (runningCount === 16) all.emit("full");
      await full;
      runningCount -= 1;
    });
    using client = new StatsClient(server);
    assert.equal((await readOnlineUsers(client)).length, 40);
    assert.equal(mostCount, 16);
  });

  it("asks an older Xray for nobody more when a call fails", io, async (t) => {
    let askedCount = 0;
    const server = await startOld(t, 1_000, (name) => {
      askedCount += 1;
      if (name === "user>>>user20>>>online")
        throw new ConnectError("no more of this", Code.ResourceExhausted);
    });
    using client = new StatsClient(server);
    await assert.rejects(readOnlineUsers(client), { code: "refused" });
    assert.ok(askedCount > 20 && askedCount < 1_000, `${askedCount} calls`);
    const atFailure = askedCount;
    await turns(20);
    assert.equal(askedCount, atFailure);
  });

  it("asks a newer one for all at once", io, async (t) => {
    const server = await serveRoutes(t, (router) => {
      router.rpc(StatsService.method.getUsersStats, () => ({
        users: [{ email: "alice", ips: [{ ip: "192.0.2.7", lastSeen: 9n }] }],
      }));
    });
    using client = new StatsClient(server);
    assert.deepEqual(await readOnlineUsers(client), [
      { user: "alice", addresses: [{ address: "192.0.2.7", lastSeen: 9n }] },
    ]);
  });

  for (const kind of ["V2Ray 5", "sing-box"] as const) {
    it(`is told that ${kind} does not know it`, io, async (t) => {
      using client = new StatsClient((await startFamilyServer(t, kind)).server);
      for (const read of [
        readOnlineUsers,
        readOnlineNames,
        async () => readOnlineAddresses(client, "alice"),
        async () => countOnlineAddresses(client, "alice"),
      ]) {
        await assert.rejects(read(client), {
          code: "unimplemented",
          message: "it has no StatsService that knows this call",
        });
      }
    });
  }
});
