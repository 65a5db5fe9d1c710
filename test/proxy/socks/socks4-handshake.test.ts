import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ReadError } from "../../../src/net/byte-reader.js";
import { LoginBrake } from "../../../src/net/login-brake.js";
import type { RejectionCode } from "../../../src/proxy/rejection.js";
import { acceptSocks4 } from "../../../src/proxy/socks/socks4-handshake.js";
import { SocksRefusal } from "../../../src/proxy/socks/socks-handshake.js";
import { Users, type User } from "../../../src/proxy/users.js";
import { readAll, readBytes, sha256 } from "../../helpers/bytes.js";
import { createRandom } from "../../helpers/random.js";
import { askSocks4, socks4Request } from "../../helpers/socks4-client.js";
import {
  converseWith,
  factsOf,
  type SocksConversation,
  type SocksConversationOptions,
} from "../../helpers/socks-conversation.js";
import { closeAfter, socketPair } from "../../helpers/sockets.js";
import { closed, event, turns, until } from "../../helpers/timing.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "secret" };
const byAddress = { host: "192.0.2.7", port: 443 };
const byName = { host: "example.com", port: 443 };
const boundTo = { host: "192.0.2.1", port: 1080 };
const refusal = "005b000000000000";

async function converse(t: TestContext, options: SocksConversationOptions = {}): Promise<SocksConversation> {
  return converseWith(acceptSocks4, t, options);
}

const versions = [
  ["SOCKS4", byAddress],
  ["SOCKS4a", byName],
] as const;

for (const [version, destination] of versions) {
  describe(`acceptSocks4 of ${version}`, () => {
    it("takes a client, and tells it that the connection stands", io, async (t) => {
      const { client, accepted } = await converse(t);
      const answer = askSocks4(client, destination);
      const accepting = await accepted;
      accepting.accept(boundTo);
      assert.deepEqual(await answer, { reply: 0x5a, boundTo });
      assert.deepEqual(factsOf(accepting), { inbound: "in", user: undefined, destination });
    });

    it("takes no user's name from the user id, which proves nothing", io, async (t) => {
      const { client, accepted } = await converse(t);
      client.write(socks4Request(destination, { userId: "alice" }));
      assert.deepEqual(factsOf(await accepted), { inbound: "in", user: undefined, destination });
    });

    it("reads a request that comes byte by byte, and nothing behind it", io, async (t) => {
      const { client, server, accepted } = await converse(t);
      client.setNoDelay(true);
      const request = socks4Request(destination, { userId: "alice" });
      for (const byte of Buffer.concat([request, Buffer.from("payload")])) {
        client.write(Buffer.of(byte));
        await turns(2);
      }
      client.end();
      assert.deepEqual(factsOf(await accepted), { inbound: "in", user: undefined, destination });
      assert.equal((await readAll(server)).toString(), "payload");
    });

    it("reads a request that comes in two pieces, wherever it is cut", io, async (t) => {
      const request = socks4Request(destination, { userId: "alice" });
      for (let cut = 1; cut < request.length; cut++) {
        const { client, server, accepted } = await converse(t);
        client.write(request.subarray(0, cut));
        await until(() => server.bytesRead === cut);
        client.write(request.subarray(cut));
        assert.deepEqual(factsOf(await accepted), { inbound: "in", user: undefined, destination });
      }
    });

    it("leaves what came in the same segment to the next reader", io, async (t) => {
      const payload = createRandom(7).bytes(300_000);
      const { client, server, accepted } = await converse(t);
      client.end(Buffer.concat([socks4Request(destination), payload]));
      await accepted;
      assert.equal(sha256(await readAll(server)), sha256(payload));
    });

    it("leaves a client's early end to the next reader", io, async (t) => {
      const { client, server, accepted } = await converse(t);
      client.end(socks4Request(destination));
      (await accepted).accept(boundTo);
      assert.equal((await readAll(server)).length, 0);
      server.end("late answer");
      assert.equal((await readAll(client)).subarray(8).toString(), "late answer");
    });
  });
}

describe("acceptSocks4", () => {
  it("knows where the client comes from", io, async (t) => {
    const { client, accepted } = await converse(t);
    client.write(socks4Request(byName));
    assert.deepEqual((await accepted).source, { host: "127.0.0.1", port: client.localPort });
  });

  it("answers nothing to a request by itself", io, async (t) => {
    const { client, server, accepted } = await converse(t);
    client.write(socks4Request(byName));
    assert.equal((await accepted).client, server);
    server.end();
    assert.equal((await readAll(client)).length, 0);
  });

  const ends: readonly (readonly [host: string, port: number, hex: string])[] = [
    ["192.0.2.1", 1080, "005a0438c0000201"],
    ["2001:db8::1", 1080, "005a043800000000"],
  ];
  for (const [host, port, hex] of ends) {
    it(`says ${hex} when the connection stands at ${host}`, io, async (t) => {
      const { client, server, accepted } = await converse(t);
      client.write(socks4Request(byName));
      (await accepted).accept({ host, port });
      server.end();
      assert.equal((await readAll(client)).toString("hex"), hex);
    });
  }
});

describe("acceptSocks4's refusal", () => {
  const noPassword = "SOCKS4 carries no password, which is required here";
  const refusals: readonly (readonly [
    title: string,
    users: readonly User[],
    message: Buffer,
    reason: string,
  ])[] = [
    ["of a client where there are users", [alice], socks4Request(byAddress), noPassword],
    ["of a name where there are users", [alice], socks4Request(byName), noPassword],
    ["of a user id that is a user's name", [alice], socks4Request(byName, { userId: "alice" }), noPassword],
    ["of the first byte where there are users", [alice], Buffer.of(4), noPassword],
    ["of BIND", [], socks4Request(byAddress, { command: 2 }), "SOCKS4 command 2 is not supported"],
    ["of BIND's first bytes", [], Buffer.of(4, 2), "SOCKS4 command 2 is not supported"],
    ["of an unknown command", [], socks4Request(byName, { command: 9 }), "SOCKS4 command 9 is not supported"],
    ["of another version", [], Buffer.of(5, 1, 0), "SOCKS version 5, expected 4"],
    [
      "of a user id without an end",
      [],
      Buffer.concat([Buffer.of(4, 1, 0, 80, 192, 0, 2, 7), Buffer.alloc(300, "u")]),
      "SOCKS4 user id of more than 255 bytes",
    ],
    [
      "of a name without an end",
      [],
      Buffer.concat([Buffer.of(4, 1, 0, 80, 0, 0, 0, 1, 0), Buffer.alloc(300, "n")]),
      "SOCKS4a name of more than 255 bytes",
    ],
    [
      "of an empty name",
      [],
      socks4Request({ host: "", port: 80 }),
      "SOCKS4a destination is no host name or address",
    ],
    [
      "of a name that is none",
      [],
      socks4Request({ host: "a\nb", port: 80 }),
      "SOCKS4a destination is no host name or address",
    ],
  ];
  for (const [title, users, message, reason] of refusals) {
    it(`${title} is one answer, and the end`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { users });
      client.write(message);
      const heard = readAll(client);
      await assert.rejects(accepted, new SocksRefusal(reason));
      assert.equal((await heard).toString("hex"), refusal);
      client.end();
      await closed(server);
    });
  }

  const pushy = [
    ["where there are users", [alice], socks4Request(byName)],
    ["of a command", [], socks4Request(byName, { command: 2 })],
  ] as const;
  for (const [title, users, message] of pushy) {
    it(`${title} is not lost although the client goes on sending`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { users });
      const sent = Buffer.concat([message, createRandom(1).bytes(2 * 1024 * 1024)]);
      client.end(sent);
      const heard = readAll(client);
      await assert.rejects(accepted, SocksRefusal);
      assert.equal((await heard).toString("hex"), refusal);
      await closed(server);
      // A byte that is left unread makes the kernel send a reset, which can overtake the answer.
      assert.equal(server.bytesRead, sent.length);
      assert.equal(server.errored, null);
    });
  }

  const codes: readonly RejectionCode[] = [
    "blocked",
    "refused",
    "network-unreachable",
    "host-unreachable",
    "unresolved",
    "timeout",
    "aborted",
    "failed",
  ];
  for (const code of codes) {
    it(`of a connection that is ${code} is 5B, and the end`, io, async (t) => {
      const { client, server, accepted } = await converse(t);
      client.write(Buffer.concat([socks4Request(byName), Buffer.alloc(1024 * 1024)]));
      const heard = readAll(client);
      (await accepted).reject({ code, message: "no" });
      assert.equal((await heard).toString("hex"), refusal);
      client.end();
      await closed(server);
    });
  }
});

describe("acceptSocks4 gives up", () => {
  const request = socks4Request(byName, { userId: "alice" });
  const states: readonly (readonly [state: string, sentBytes: number])[] = [
    ["at the very start", 0],
    ["after the version", 1],
    ["in the address", 6],
    ["in the user id", 10],
    ["after the user id", 14],
    ["in the name", 20],
    ["before the last zero", request.length - 1],
  ];

  for (const [state, sentBytes] of states) {
    it(`on a client that leaves ${state}`, io, async (t) => {
      const { client, server, accepted } = await converse(t);
      client.end(request.subarray(0, sentBytes));
      const message = `connection closed after ${sentBytes} bytes of an unfinished message`;
      await assert.rejects(accepted, new ReadError("closed", message));
      // Closing is the business of whoever called.
      assert.equal(server.destroyed, false);
      server.end();
      assert.equal((await readAll(client)).length, 0);
    });

    it(`on a client that resets ${state}`, io, async (t) => {
      const { client, server, accepted } = await converse(t);
      client.write(request.subarray(0, sentBytes));
      await until(() => server.bytesRead === sentBytes);
      client.resetAndDestroy();
      await assert.rejects(accepted, { name: "ReadError", code: "closed" });
    });

    it(`on a client that is too slow ${state}`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { timeoutMs: 20 });
      client.write(request.subarray(0, sentBytes));
      await assert.rejects(accepted, new ReadError("timeout", "no complete message within 20 ms"));
      assert.equal(server.destroyed, false);
      server.end();
      assert.equal((await readAll(client)).length, 0);
    });
  }

  it("after its time, however often a byte comes", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, server, accepted } = await converse(t, { timeoutMs: 1_000 });
    let isOver = false;
    accepted.catch(() => (isOver = true));
    for (let sentBytes = 1; sentBytes <= 9; sentBytes++) {
      client.write(request.subarray(sentBytes - 1, sentBytes));
      await until(() => server.bytesRead === sentBytes);
      t.mock.timers.tick(111);
    }
    await turns(2);
    assert.equal(isOver, false);
    t.mock.timers.tick(1);
    await assert.rejects(accepted, { code: "timeout" });
  });

  it("and waits no longer once the request is there", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, server, accepted } = await converse(t, { timeoutMs: 1_000 });
    client.write(request);
    const accepting = await accepted;
    t.mock.timers.tick(100_000);
    accepting.accept(boundTo);
    client.write("x");
    assert.equal((await readBytes(server, 1)).toString(), "x");
  });

  it("on a connection that is closed already", io, async (t) => {
    const { client, server } = await socketPair(t);
    closeAfter(t);
    client.end();
    server.destroy();
    await event(server, "close");
    const options = { inbound: "in", users: new Users(), logins: new LoginBrake(), timeoutMs: 9_000 };
    await assert.rejects(acceptSocks4(server, options), { code: "closed" });
  });
});
