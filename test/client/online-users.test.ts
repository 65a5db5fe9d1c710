import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { StatsService } from "#gen/v2ray/core/app/stats/command/command_pb.js";
import {
  countOnlineAddresses,
  readOnlineAddresses,
  readOnlineNames,
  readOnlineUsers,
} from "../../src/client/online-users.js";
import { StatsClient } from "../../src/client/stats-client.js";
import { serveRoutes, startFamilyServer, type FamilyServer } from "../helpers/family-server.js";

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
