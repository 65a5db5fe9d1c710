import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { dial, type DialOptions } from "../../src/net/dial.js";
import { DialError, type DialErrorCode } from "../../src/net/dial-error.js";
import type { Endpoint } from "../../src/net/endpoint.js";
import { DirectOutbound } from "../../src/proxy/direct/direct-outbound.js";
import type { OutboundDialOptions } from "../../src/proxy/outbound.js";
import { readAll } from "../helpers/bytes.js";
import { startDestination } from "../helpers/destination.js";
import { endingOf } from "../helpers/ending.js";
import { connectHead, basicLogin } from "../helpers/http-client.js";
import { connectTo } from "../helpers/proxy.js";
import { askInWay, plainRequest, userOf, usersOf, wayTitles, type ProxyWay } from "../helpers/proxy-ways.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closedPort } from "../helpers/sockets.js";
import { socks4Request } from "../helpers/socks4-client.js";
import { socks5Greeting, socks5Login, socks5Request } from "../helpers/socks5-client.js";
import { assertMoved, countersAfter, countersOf, startTestApp } from "../helpers/test-app.js";
import { closed, turns, until } from "../helpers/timing.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 30_000 };
const nothing = { up: 0, down: 0 };
const ways: readonly ProxyWay[] = ["socks4", "socks5", "http", "plain"];

type Answers = Readonly<Record<ProxyWay, number>>;

/** A way in which there is no connection to a destination. */
interface Failure {
  readonly title: string;
  readonly destination: () => Promise<Endpoint>;
  /** How it is dialled. Default: as always. */
  readonly dial?: Dial;
  readonly answers: Answers;
}

type Dial = (destination: Endpoint, options?: OutboundDialOptions) => Promise<never>;

const somewhere = async (): Promise<Endpoint> => Promise.resolve({ host: "example.com", port: 443 });

/** A real dial that has no success. */
function failingDial(options: DialOptions): Dial {
  return async (destination) => {
    const connection = await dial(destination, options);
    connection.destroy();
    return assert.fail("the dial had success");
  };
}

/** What cannot be brought about within one machine. */
function rejectingDial(code: DialErrorCode): Dial {
  return async () => Promise.reject(new DialError(code, `connect: ${code}`));
}

const failures: readonly Failure[] = [
  {
    title: "refuses",
    destination: async () => ({ host: "127.0.0.1", port: await closedPort() }),
    answers: { socks4: 0x5b, socks5: 5, http: 502, plain: 502 },
  },
  {
    title: "is in no network that can be reached",
    // The broadcast address: connect(2) fails at once.
    destination: async () => Promise.resolve({ host: "255.255.255.255", port: 9 }),
    answers: { socks4: 0x5b, socks5: 3, http: 502, plain: 502 },
  },
  {
    title: "is a host that cannot be reached",
    destination: somewhere,
    dial: rejectingDial("host-unreachable"),
    answers: { socks4: 0x5b, socks5: 4, http: 502, plain: 502 },
  },
  {
    title: "has a name that does not resolve",
    destination: somewhere,
    dial: failingDial({
      lookup: async () => Promise.reject(Object.assign(new Error("unknown name"), { code: "ENOTFOUND" })),
    }),
    answers: { socks4: 0x5b, socks5: 4, http: 502, plain: 502 },
  },
  {
    title: "does not answer in time",
    destination: somewhere,
    dial: failingDial({ lookup: async () => new Promise(() => undefined), connectTimeoutMs: 20 }),
    answers: { socks4: 0x5b, socks5: 4, http: 504, plain: 504 },
  },
  {
    title: "fails for another reason",
    destination: somewhere,
    dial: rejectingDial("failed"),
    answers: { socks4: 0x5b, socks5: 1, http: 502, plain: 502 },
  },
];

/** Lets every outbound of the process dial like this for the length of the test. */
function dialWith(t: TestContext, dialInstead: Dial): void {
  t.mock.method(DirectOutbound.prototype, "dial", dialInstead);
}

/** Resolves when the connection has ended in order on both sides. */
async function endInOrder(client: Socket): Promise<void> {
  const ending = endingOf(client);
  client.resume();
  client.end();
  assert.notEqual(await ending, "reset");
  await closed(client);
}

describe("a destination", () => {
  failOnUnhandled();

  for (const { title, destination, dial: dialInstead, answers } of failures) {
    for (const way of ways) {
      it(`that ${title} is ${answers[way]} in ${wayTitles[way]}, and counters at 0`, io, async (t) => {
        const logger = new RecordingLogger();
        const app = await startTestApp(t, { users: usersOf(way), logger });
        if (dialInstead !== undefined) dialWith(t, dialInstead);
        const options = { way, proxy: app.proxy, destination: await destination() };
        const { client, answer } = await askInWay(t, options);
        assert.equal(answer, answers[way]);
        await endInOrder(client);
        await assertMoved(app, userOf(way), () => nothing);
        assert.deepEqual([...logger.messages("warn"), ...logger.messages("error")], []);
      });
    }
  }

  const blocked: Answers = { socks4: 0x5b, socks5: 2, http: 403, plain: 403 };
  for (const way of ways) {
    it(`that is blocked is ${blocked[way]} in ${wayTitles[way]}, and no counter`, io, async (t) => {
      const app = await startTestApp(t, { users: usersOf(way), outbound: "block" });
      const target = await startDestination(t);
      const { client, answer } = await askInWay(t, { way, proxy: app.proxy, destination: target.endpoint });
      assert.equal(answer, blocked[way]);
      await endInOrder(client);
      await app.app.stop(new AbortController().signal);
      assert.deepEqual(countersOf(app), {});
      assert.equal(target.acceptedCount, 0);
    });
  }

  it("that refuses plain requests leaves the client's connection to the next one", io, async (t) => {
    const app = await startTestApp(t, { users: usersOf("plain") });
    const destination = { host: "127.0.0.1", port: await closedPort() };
    const client = await connectTo(t, app.proxy);
    client.write(plainRequest("GET", { destination }).repeat(3));
    client.end();
    const text = (await readAll(client)).toString();
    assert.equal(text.split("HTTP/1.1 502 ").length, 4, text);
    await assertMoved(app, userOf("plain"), () => nothing);
  });
});

describe("a client that is gone during the dial", () => {
  failOnUnhandled();
  const destination = { host: "example.com", port: 443 };
  const [user] = usersOf("http");
  assert.ok(user !== undefined);
  const heads: Readonly<Record<ProxyWay, Buffer | string>> = {
    socks4: socks4Request(destination),
    socks5: Buffer.concat([
      socks5Greeting(2),
      socks5Login(user.username, user.password),
      socks5Request(destination),
    ]),
    http: connectHead("example.com:443", basicLogin(user)),
    plain: plainRequest("GET", { destination }),
  };
  for (const way of ways) {
    it(`calls it off in ${wayTitles[way]}, and leaves counters at 0`, io, async (t) => {
      const logger = new RecordingLogger();
      const app = await startTestApp(t, { users: usersOf(way), logger });
      const dialled = new Promise<AbortSignal>((resolve) => {
        dialWith(t, async (_, { signal } = {}) => {
          assert.ok(signal !== undefined);
          resolve(signal);
          return new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              reject(new DialError("aborted", "given up"));
            });
          });
        });
      });
      const client = await connectTo(t, app.proxy);
      client.write(heads[way]);
      const signal = await dialled;
      await turns(5);
      assert.equal(signal.aborted, false);
      assert.deepEqual(countersOf(app), countersAfter(userOf(way), nothing));
      client.resetAndDestroy();
      await until(() => signal.aborted);
      await assertMoved(app, userOf(way), () => nothing);
      assert.deepEqual([...logger.messages("warn"), ...logger.messages("error")], []);
    });
  }
});
