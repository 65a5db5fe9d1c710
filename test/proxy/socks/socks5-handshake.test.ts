import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { ReadError } from "../../../src/net/byte-reader.js";
import { LoginBrake } from "../../../src/net/login-brake.js";
import type { RejectionCode } from "../../../src/proxy/rejection.js";
import { acceptSocks5, type AssociateRequest } from "../../../src/proxy/socks/socks5-handshake.js";
import type { ProxyRequest } from "../../../src/proxy/inbound.js";
import { SocksRefusal, type SocksHandshakeOptions } from "../../../src/proxy/socks/socks-handshake.js";
import { Users, type User } from "../../../src/proxy/users.js";
import { readAll, readBytes, sha256 } from "../../helpers/bytes.js";
import { createRandom } from "../../helpers/random.js";
import { askSocks5, socks5Greeting, socks5Login, socks5Request } from "../../helpers/socks5-client.js";
import {
  converseWith,
  factsOf,
  type SocksConversation,
  type SocksConversationOptions,
} from "../../helpers/socks-conversation.js";
import { closeAfter, socketPair } from "../../helpers/sockets.js";
import { closed, event, turns } from "../../helpers/timing.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "secret" };
const noPassword: User = { username: "quiet", password: "" };
const destination = { host: "example.com", port: 443 };
const boundTo = { host: "192.0.2.1", port: 1080 };
const unspecified = { host: "0.0.0.0", port: 0 };
const request = socks5Request(destination);

async function converse(t: TestContext, options: SocksConversationOptions = {}): Promise<SocksConversation> {
  return converseWith(acceptConnect, t, options);
}

/** Of clients that ask for a connection. */
async function acceptConnect(client: Socket, options: SocksHandshakeOptions): Promise<ProxyRequest> {
  const request = await acceptSocks5(client, options);
  assert.ok("client" in request);
  return request;
}

/** Of clients that want to send packets. */
async function acceptAssociate(client: Socket, options: SocksHandshakeOptions): Promise<AssociateRequest> {
  const request = await acceptSocks5(client, { ...options, withPackets: true });
  assert.ok("control" in request);
  return request;
}

describe("acceptSocks5", () => {
  it("takes a client without a login where there are no users", io, async (t) => {
    const { client, accepted } = await converse(t);
    const answer = askSocks5(client, destination);
    const accepting = await accepted;
    accepting.accept(boundTo);
    assert.deepEqual(await answer, { reply: 0, boundTo });
    assert.deepEqual(factsOf(accepting), { inbound: "in", user: undefined, destination });
  });

  it("takes a user with the right password, and knows the name", io, async (t) => {
    const { client, accepted } = await converse(t, { users: [alice] });
    const answer = askSocks5(client, destination, alice);
    const accepting = await accepted;
    accepting.accept(boundTo);
    assert.deepEqual(await answer, { reply: 0, boundTo });
    assert.deepEqual(factsOf(accepting), { inbound: "in", user: "alice", destination });
  });

  it("knows where the client comes from", io, async (t) => {
    const { client, accepted } = await converse(t);
    client.write(Buffer.concat([socks5Greeting(0), request]));
    assert.deepEqual((await accepted).source, { host: "127.0.0.1", port: client.localPort });
  });

  it("answers nothing to a request by itself", io, async (t) => {
    const { client, server, accepted } = await converse(t);
    client.write(Buffer.concat([socks5Greeting(0), request]));
    assert.equal((await accepted).client, server);
    server.end();
    assert.equal((await readAll(client)).toString("hex"), "0500");
  });
});

describe("acceptSocks5's choice of a method", () => {
  const choices: readonly (readonly [users: readonly User[], offered: readonly number[], hex: string])[] = [
    [[], [0], "0500"],
    [[], [2, 0], "0500"],
    [[], [0x80, 1, 0], "0500"],
    [[alice], [2], "0502"],
    [[alice], [0, 2], "0502"],
    [[alice], [2, 0], "0502"],
  ];
  for (const [users, offered, hex] of choices) {
    it(`is ${hex} with ${users.length} users and [${offered.join()}] on offer`, io, async (t) => {
      const { client } = await converse(t, { users });
      client.write(socks5Greeting(...offered));
      assert.equal((await readBytes(client, 2)).toString("hex"), hex);
    });
  }
});

describe("acceptSocks5's refusal", () => {
  const everyUser = [alice, noPassword];
  const loginStart = [socks5Greeting(2)];
  const requestStart = [socks5Greeting(0)];
  const loggedIn = [socks5Greeting(2), socks5Login("alice", "secret")];
  const refusals: readonly (readonly [
    title: string,
    users: readonly User[],
    messages: readonly Buffer[],
    answers: string,
    reason: string,
  ])[] = [
    ["of no method", [], [socks5Greeting()], "05ff", "SOCKS method 0 is not offered"],
    ["of passwords where none is needed", [], [socks5Greeting(2)], "05ff", "SOCKS method 0 is not offered"],
    ["of GSSAPI", [], [socks5Greeting(1)], "05ff", "SOCKS method 0 is not offered"],
    ["of the method FF", [], [socks5Greeting(0xff)], "05ff", "SOCKS method 0 is not offered"],
    ["of anonymous clients", everyUser, [socks5Greeting(0)], "05ff", "SOCKS method 2 is not offered"],
    ["of no method by a user", everyUser, [socks5Greeting()], "05ff", "SOCKS method 2 is not offered"],
    ...(
      [
        ["a wrong password", socks5Login("alice", "Secret")],
        ["another user's password", socks5Login("alice", "")],
        ["a password that is too long", socks5Login("alice", "secret\u0000")],
        ["an unknown user", socks5Login("mallory", "secret")],
        ["an empty name", socks5Login("", "secret")],
        ["an empty name and password", socks5Login("", "")],
      ] as const
    ).map(
      ([title, login]) =>
        [`of ${title}`, everyUser, [...loginStart, login], "05020101", "wrong username or password"] as const,
    ),
    ...[0, 2, 5].map(
      (version) =>
        [
          `of a right login of version ${version}`,
          everyUser,
          [...loginStart, socks5Login("alice", "secret", version)],
          "05020101",
          `SOCKS login version ${version}, expected 1`,
        ] as const,
    ),
    [
      "of a request before the login",
      everyUser,
      [...loginStart, request],
      "05020101",
      "SOCKS login version 5, expected 1",
    ],
    ...[0, 2, 3, 9].map(
      (command) =>
        [
          `of command ${command}`,
          [],
          [...requestStart, socks5Request(destination, command)],
          "050005070001000000000000",
          `SOCKS command ${command} is not supported`,
        ] as const,
    ),
    [
      "of an unknown address type",
      [],
      [...requestStart, Buffer.of(5, 1, 0, 2, 1, 1, 1, 1, 0, 80)],
      "050005080001000000000000",
      "SOCKS address type 2 is unknown",
    ],
    [
      "of an unknown address type after a login",
      everyUser,
      [...loggedIn, Buffer.of(5, 1, 0, 7)],
      "0502010005080001000000000000",
      "SOCKS address type 7 is unknown",
    ],
    [
      "of another version in the request",
      [],
      [...requestStart, Buffer.of(4, 1, 0, 80, 1, 1, 1, 1, 0)],
      "050005010001000000000000",
      "SOCKS version 4 in a request, expected 5",
    ],
    [
      "of a name that is none",
      [],
      [...requestStart, socks5Request({ host: "a\nb", port: 80 })],
      "050005010001000000000000",
      "SOCKS destination is no host name or address",
    ],
  ];
  for (const [title, users, messages, answers, reason] of refusals) {
    it(`${title} is one answer, and the end`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { users });
      client.write(Buffer.concat(messages));
      const heard = readAll(client);
      await assert.rejects(accepted, new SocksRefusal(reason));
      assert.equal((await heard).toString("hex"), answers);
      client.end();
      await closed(server);
    });
  }

  const refused = [
    ["greeting", [], [socks5Greeting(9)], "05ff"],
    ["login", [alice], [socks5Greeting(2), socks5Login("alice", "wrong")], "05020101"],
    ["request", [], [socks5Greeting(0), socks5Request(destination, 3)], "050005070001000000000000"],
  ] as const;
  for (const [state, users, messages, answers] of refused) {
    it(`of a ${state} is not lost although the client goes on sending`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { users });
      const sent = Buffer.concat([...messages, createRandom(1).bytes(2 * 1024 * 1024)]);
      client.end(sent);
      const heard = readAll(client);
      await assert.rejects(accepted, SocksRefusal);
      assert.equal((await heard).toString("hex"), answers);
      await closed(server);
      // A byte that is left unread makes the kernel send a reset, which can overtake the answer.
      assert.equal(server.bytesRead, sent.length);
      assert.equal(server.errored, null);
    });
  }

  const replies: readonly (readonly [code: RejectionCode, reply: number])[] = [
    ["blocked", 2],
    ["refused", 5],
    ["network-unreachable", 3],
    ["host-unreachable", 4],
    ["unresolved", 4],
    ["timeout", 4],
    ["aborted", 1],
    ["failed", 1],
  ];
  for (const [code, reply] of replies) {
    it(`of a connection that is ${code} is ${reply}, and the end`, io, async (t) => {
      const { client, server, accepted } = await converse(t);
      client.write(Buffer.concat([socks5Greeting(0), request, Buffer.alloc(1024 * 1024)]));
      const heard = readAll(client);
      (await accepted).reject({ code, message: "no" });
      assert.deepEqual([...(await heard)], [5, 0, 5, reply, 0, 1, 0, 0, 0, 0, 0, 0]);
      client.end();
      await closed(server);
    });
  }
});

describe("acceptSocks5 of a client that wants to send packets", () => {
  const relay = { host: "192.0.2.1", port: 40_000 };
  const ask = async (t: TestContext, options?: SocksConversationOptions) =>
    converseWith(acceptAssociate, t, options);

  const announcements = [
    unspecified,
    { host: "192.0.2.7", port: 50_000 },
    { host: "::", port: 0 },
    { host: "2001:db8::1", port: 50_000 },
    { host: "localhost", port: 50_000 },
  ];
  for (const expected of announcements) {
    it(`knows where they will come from: ${expected.host}, port ${expected.port}`, io, async (t) => {
      const { client, server, accepted } = await ask(t);
      const answer = askSocks5(client, expected, undefined, 3);
      const accepting = await accepted;
      assert.equal(accepting.control, server);
      assert.deepEqual([accepting.user, accepting.expected], [undefined, expected]);
      accepting.accept(relay);
      assert.deepEqual(await answer, { reply: 0, boundTo: relay });
    });
  }

  it("knows the user's name", io, async (t) => {
    const { client, accepted } = await ask(t, { users: [noPassword, alice] });
    const answer = askSocks5(client, unspecified, alice, 3);
    const accepting = await accepted;
    assert.equal(accepting.user, "alice");
    accepting.accept(relay);
    assert.equal((await answer).reply, 0);
  });

  it("tells it a port of an IPv6 address, too", io, async (t) => {
    const { client, accepted } = await ask(t);
    const answer = askSocks5(client, unspecified, undefined, 3);
    (await accepted).accept({ host: "2001:db8::1", port: 40_000 });
    assert.deepEqual(await answer, { reply: 0, boundTo: { host: "2001:db8::1", port: 40_000 } });
  });

  it("answers nothing by itself, and keeps the connection", io, async (t) => {
    const { client, server, accepted } = await ask(t);
    client.write(Buffer.concat([socks5Greeting(0), socks5Request(unspecified, 3)]));
    await accepted;
    assert.equal(server.writable, true);
    server.end();
    assert.equal((await readAll(client)).toString("hex"), "0500");
  });

  it("tells it 01 where there is no association, and the end, although it goes on sending", io, async (t) => {
    const { client, server, accepted } = await ask(t);
    client.write(
      Buffer.concat([socks5Greeting(0), socks5Request(unspecified, 3), Buffer.alloc(1024 * 1024)]),
    );
    const heard = readAll(client);
    (await accepted).reject();
    assert.equal((await heard).toString("hex"), "050005010001000000000000");
    client.end();
    await closed(server);
  });

  it("takes a request that comes byte by byte, and leaves what is behind it", io, async (t) => {
    const { client, server, accepted } = await ask(t, { users: [alice] });
    client.setNoDelay(true);
    const messages = [socks5Greeting(2), socks5Login("alice", "secret"), socks5Request(unspecified, 3)];
    for (const byte of Buffer.concat([...messages, Buffer.from("noise")])) {
      client.write(Buffer.of(byte));
      await turns(2);
    }
    client.end();
    assert.equal((await accepted).user, "alice");
    assert.equal((await readAll(server)).toString(), "noise");
  });

  it("still gives a client a connection that wants one", io, async (t) => {
    const { client, server } = await socketPair(t);
    const options = {
      inbound: "in",
      users: new Users(),
      logins: new LoginBrake(),
      timeoutMs: 9_000,
      withPackets: true,
    };
    const accepted = acceptSocks5(server, options);
    client.write(Buffer.concat([socks5Greeting(0), request]));
    const accepting = await accepted;
    assert.ok("client" in accepting);
    assert.deepEqual(factsOf(accepting), { inbound: "in", user: undefined, destination });
  });

  const refusals: readonly (readonly [what: string, request: Buffer, reply: number])[] = [
    ["BIND", socks5Request(destination, 2), 7],
    ["command 9", socks5Request(destination, 9), 7],
    ["an unknown address type", Buffer.of(5, 3, 0, 2, 1, 1, 1, 1, 0, 80), 8],
    ["a name that is none", socks5Request({ host: "a\nb", port: 80 }, 3), 1],
  ];
  for (const [what, asked, reply] of refusals) {
    it(`refuses ${what} with 0${reply}`, io, async (t) => {
      const { client, server, accepted } = await ask(t);
      client.end(Buffer.concat([socks5Greeting(0), asked]));
      await assert.rejects(accepted, SocksRefusal);
      assert.equal((await readAll(client)).toString("hex"), `0500050${reply}0001000000000000`);
      await closed(server);
    });
  }

  it("refuses a wrong password before it reads what is wanted", io, async (t) => {
    const { client, server, accepted } = await ask(t, { users: [alice] });
    const messages = [socks5Greeting(2), socks5Login("alice", "wrong"), socks5Request(unspecified, 3)];
    client.end(Buffer.concat(messages));
    await assert.rejects(accepted, new SocksRefusal("wrong username or password"));
    assert.equal((await readAll(client)).toString("hex"), "05020101");
    await closed(server);
  });

  it("refuses with 07 where nobody may send packets", io, async (t) => {
    const { client, server } = await socketPair(t);
    const options = {
      inbound: "in",
      users: new Users(),
      logins: new LoginBrake(),
      timeoutMs: 9_000,
      withPackets: false,
    };
    const accepted = acceptSocks5(server, options);
    client.end(Buffer.concat([socks5Greeting(0), socks5Request(unspecified, 3)]));
    await assert.rejects(accepted, new SocksRefusal("SOCKS command 3 is not supported"));
    assert.equal((await readAll(client)).toString("hex"), "050005070001000000000000");
    await closed(server);
  });
});

describe("acceptSocks5 leaves to the next reader", () => {
  const payload = createRandom(7).bytes(300_000);
  const segments: readonly (readonly [title: string, users: readonly User[], messages: readonly Buffer[]])[] =
    [
      ["what came with the request", [], [socks5Greeting(0), request]],
      [
        "what came with greeting, login and request",
        [alice],
        [socks5Greeting(0, 2), socks5Login("alice", "secret"), request],
      ],
    ];
  for (const [title, users, messages] of segments) {
    it(`${title} in one segment`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { users });
      client.end(Buffer.concat([...messages, payload]));
      await accepted;
      assert.equal(sha256(await readAll(server)), sha256(payload));
    });
  }

  it("nothing else, when every byte comes by itself", io, async (t) => {
    const { client, server, accepted } = await converse(t, { users: [alice] });
    client.setNoDelay(true);
    const messages = [socks5Greeting(2), socks5Login("alice", "secret"), request, Buffer.from("payload")];
    for (const byte of Buffer.concat(messages)) {
      client.write(Buffer.of(byte));
      await turns(2);
    }
    client.end();
    assert.deepEqual(factsOf(await accepted), { inbound: "in", user: "alice", destination });
    assert.equal((await readAll(server)).toString(), "payload");
  });

  it("a client's early end", io, async (t) => {
    const { client, server, accepted } = await converse(t);
    client.end(Buffer.concat([socks5Greeting(0), request]));
    (await accepted).accept(unspecified);
    assert.equal((await readAll(server)).length, 0);
    server.end("late answer");
    assert.equal((await readAll(client)).subarray(12).toString(), "late answer");
  });
});

describe("acceptSocks5 gives up", () => {
  const loginStart = socks5Greeting(2);
  const loggedIn = Buffer.concat([loginStart, socks5Login("alice", "secret")]);
  const states: readonly (readonly [state: string, sent: Buffer, answers: number, unfinished: number])[] = [
    ["at the very start", Buffer.alloc(0), 0, 0],
    ["in the greeting", loginStart.subarray(0, 1), 0, 1],
    ["after the greeting", loginStart, 2, 0],
    ["in the login", loggedIn.subarray(0, loginStart.length + 4), 2, 4],
    ["after the login", loggedIn, 4, 0],
    ["in the request", Buffer.concat([loggedIn, request.subarray(0, -1)]), 4, request.length - 1],
  ];

  for (const [state, sent, answers, unfinished] of states) {
    it(`on a client that leaves ${state}`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { users: [alice] });
      if (sent.length > 0) client.write(sent);
      client.end();
      const message = `connection closed after ${unfinished} bytes of an unfinished message`;
      await assert.rejects(accepted, new ReadError("closed", message));
      // Closing is the business of whoever called.
      assert.equal(server.destroyed, false);
      server.end();
      assert.equal((await readAll(client)).length, answers);
    });

    it(`on a client that resets ${state}`, io, async (t) => {
      const { client, accepted } = await converse(t, { users: [alice] });
      if (sent.length > 0) client.write(sent);
      if (answers > 0) await readBytes(client, answers);
      client.resetAndDestroy();
      await assert.rejects(accepted, { name: "ReadError", code: "closed" });
    });

    it(`on a client that is too slow ${state}`, io, async (t) => {
      const { client, server, accepted } = await converse(t, { users: [alice], timeoutMs: 250 });
      if (sent.length > 0) client.write(sent);
      await assert.rejects(accepted, new ReadError("timeout", "no complete message within 250 ms"));
      server.end();
      assert.equal((await readAll(client)).length, answers);
    });
  }

  it("after the same time for each message", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, accepted } = await converse(t, { users: [alice], timeoutMs: 1_000 });
    let isOver = false;
    accepted.catch(() => (isOver = true));
    t.mock.timers.tick(999);
    client.write(loginStart);
    await readBytes(client, 2);
    t.mock.timers.tick(999);
    client.write(socks5Login("alice", "secret"));
    await readBytes(client, 2);
    t.mock.timers.tick(999);
    await turns(2);
    assert.equal(isOver, false);
    t.mock.timers.tick(1);
    await assert.rejects(accepted, { code: "timeout" });
  });

  it("and waits no longer once the request is there", io, async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { client, server, accepted } = await converse(t, { timeoutMs: 1_000 });
    client.write(Buffer.concat([socks5Greeting(0), request]));
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
    await assert.rejects(acceptSocks5(server, options), { code: "closed" });
  });
});
