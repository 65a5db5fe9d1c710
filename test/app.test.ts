import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { App } from "../src/app.js";
import type { AppAddresses } from "../src/assembly.js";
import { toConfig } from "../src/config/to-config.js";
import type { CreateApiServer } from "../src/create-api.js";
import type { Endpoint } from "../src/net/endpoint.js";
import type { ListenAddress } from "../src/net/listen-address.js";
import { TcpListener } from "../src/net/tcp-listener.js";
import type { Service } from "../src/parts/service.js";
import { StartError } from "../src/parts/start-error.js";
import type { User } from "../src/proxy/users.js";
import type { CounterStore } from "../src/stats/counter-store.js";
import { readAll } from "./helpers/bytes.js";
import { startDestination } from "./helpers/destination.js";
import { askProxy, connectTo, openTunnel } from "./helpers/proxy.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter, closedPort } from "./helpers/sockets.js";
import { socks5Greeting, socks5Login } from "./helpers/socks5-client.js";
import { closed, event, turns } from "./helpers/timing.js";

const io = { timeout: 10_000 };
const alice: User = { username: "alice", password: "secret" };
const never = new AbortController().signal;
const apiAt: Endpoint = { host: "127.0.0.1", port: 10_085 };

type ApiOptions = Parameters<CreateApiServer>[0];

/** An API server in name only, that notes what happens to it. */
class FakeApi {
  readonly created: ApiOptions[] = [];
  readonly calls: string[] = [];
  readonly asked: ListenAddress[] = [];
  onStart = async (): Promise<ListenAddress> => Promise.resolve(apiAt);

  readonly create: CreateApiServer = (options) => {
    this.created.push(options);
    return (listen): Service<ListenAddress> => {
      this.asked.push(listen);
      return {
        start: async () => {
          this.calls.push("start");
          return this.onStart();
        },
        stop: async ({ aborted }) => {
          this.calls.push(aborted ? "cut" : "stop");
          return Promise.resolve();
        },
      };
    };
  };
}

interface Built {
  readonly app: App;
  readonly api: FakeApi;
  readonly logger: RecordingLogger;
}

function build(t: TestContext, config: unknown): Built {
  const api = new FakeApi();
  const logger = new RecordingLogger();
  const app = new App(toConfig(config), { createApiServer: api.create, logger });
  closeAfter(t, app);
  return { app, api, logger };
}

function mixed(tag: string, port = 0, users: readonly User[] = []): unknown {
  return { type: "mixed", tag, listen_port: port, users };
}

function proxyIn({ inbounds }: AppAddresses, index = 0): Endpoint {
  const inbound = inbounds[index];
  assert.ok(inbound !== undefined);
  return inbound.address;
}

function valuesIn(store: CounterStore): Record<string, bigint> {
  return Object.fromEntries([...store.query(() => true)].map(({ name, counter }) => [name, counter.value]));
}

/** One transfer through the app: 3 bytes up, 5 bytes down. */
async function transfer(t: TestContext, proxy: Endpoint, user?: User): Promise<void> {
  const destination = await startDestination(t);
  const client = await openTunnel(t, { protocol: "socks5", proxy, destination: destination.endpoint, user });
  const remote = await destination.accept();
  client.end("abc");
  assert.equal((await readAll(remote)).toString(), "abc");
  remote.end("hello");
  assert.equal((await readAll(client)).toString(), "hello");
  await closed(client);
}

describe("App", () => {
  it("says where its inbounds listen, in the order of the config, and its API", io, async (t) => {
    const { app } = build(t, {
      inbounds: [mixed("a"), mixed("b")],
      experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
    });
    const { inbounds, api } = await app.start();
    assert.deepEqual(
      inbounds.map(({ tag, type, address }) => [tag, type, address.host]),
      [
        ["a", "mixed", "127.0.0.1"],
        ["b", "mixed", "127.0.0.1"],
      ],
    );
    assert.deepEqual(api, [apiAt]);
    for (const { address } of inbounds) await connectTo(t, address);
  });

  it("is nothing at all from an empty config", io, async (t) => {
    const { app, api } = build(t, {});
    assert.deepEqual(await app.start(), { inbounds: [], api: [] });
    assert.deepEqual(api.created, []);
    await app.stop(never);
  });

  it("starts the inbounds before the API", io, async (t) => {
    closeAfter(t);
    const ports = [await closedPort(), await closedPort()] as const;
    const { app, api } = build(t, {
      inbounds: ports.map((port, index) => mixed(`in-${index}`, port)),
      experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
    });
    let connectedCount = 0;
    api.onStart = async () => {
      for (const port of ports) {
        await connectTo(t, { host: "127.0.0.1", port });
        connectedCount++;
      }
      return apiAt;
    };
    await app.start();
    assert.equal(connectedCount, 2);
  });

  it("does nothing before its start", async (t) => {
    const { app, api } = build(t, {
      inbounds: [mixed("in")],
      experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
    });
    await turns(2);
    assert.deepEqual(api.calls, []);
    assert.equal(app.store.size, 0);
    // It was made, and may hold something.
    await app.stop(never);
    assert.deepEqual(api.calls, ["cut"]);
  });

  it("gives the API what the config says", (t) => {
    const { app, api, logger } = build(t, {
      experimental: {
        v2ray_api: {
          listen: "127.0.0.1:10085",
          secret: "s3cret",
          insecure: true,
          access_control_allow_origin: "https://panel.example",
          stats: { enabled: true },
          metrics: { prefix: "xray", users: false },
        },
      },
    });
    const [options, ...others] = api.created;
    assert.deepEqual(others, []);
    assert.deepEqual(options, {
      store: app.store,
      online: app.online,
      allowedOrigins: ["https://panel.example"],
      secrets: [{ name: "secret", secret: "s3cret", reset: true }],
      insecure: true,
      tls: undefined,
      metrics: { enabled: true, prefix: "xray", users: false },
      limits: toConfig({}).experimental.v2ray_api.limits,
      connections: app.connections,
      refusedConnections: { connections: 0, connectionsPerSource: 0, descriptors: 0 },
      failedLogins: { atOnce: 0, late: 0, unanswered: 0 },
      isOwnConnection: options?.isOwnConnection,
      logger,
    });
    assert.equal(
      options.isOwnConnection?.({ host: "127.0.0.1", port: 1 }, { host: "127.0.0.1", port: 2 }),
      false,
    );
    assert.deepEqual(api.asked, [apiAt]);
    assert.equal(options.store, app.store);
    assert.equal(options.online, app.online);
  });

  it("makes no API where none listens", (t) => {
    const { api } = build(t, { experimental: { v2ray_api: { stats: { enabled: true } } } });
    assert.deepEqual(api.created, []);
  });

  it("is silent without a logger", io, async (t) => {
    const app = new App(toConfig({ inbounds: [mixed("in")] }), { createApiServer: new FakeApi().create });
    closeAfter(t, app);
    await transfer(t, proxyIn(await app.start()));
  });
});

describe("App's start", () => {
  it(
    "names the inbound and the address that are in the way, and undoes what it had started",
    io,
    async (t) => {
      closeAfter(t);
      const firstPort = await closedPort();
      const taken = new TcpListener({ onConnection: (socket) => socket.destroy() });
      const { port } = await taken.listen({ host: "127.0.0.1", port: 0 });
      closeAfter(t, taken);
      const { app, api } = build(t, {
        inbounds: [mixed("first", firstPort), mixed("mixed-in", port)],
        experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
      });
      await assert.rejects(app.start(), (error) => {
        assert.ok(error instanceof StartError);
        assert.equal(error.message, `inbound mixed-in: listen 127.0.0.1:${port}: address in use`);
        assert.equal(error.code, "START_FAILED");
        assert.equal(error.name, "StartError");
        assert.ok(error.cause instanceof Error && error.cause.name === "ListenError");
        return true;
      });
      assert.deepEqual(api.calls, ["cut"]);
      const refused = connect({ host: "127.0.0.1", port: firstPort });
      assert.equal(((await event(refused, "error")) as NodeJS.ErrnoException).code, "ECONNREFUSED");
    },
  );

  it("names the API and the address that are in the way, and undoes what it had started", io, async (t) => {
    closeAfter(t);
    const inboundPort = await closedPort();
    const taken = new TcpListener({ onConnection: (socket) => socket.destroy() });
    const address = await taken.listen({ host: "127.0.0.1", port: 0 });
    closeAfter(t, taken);
    const { app, api } = build(t, {
      inbounds: [mixed("in", inboundPort)],
      experimental: { v2ray_api: { listen: `127.0.0.1:${address.port}` } },
    });
    api.onStart = async () => new TcpListener({ onConnection: () => undefined }).listen(address);
    await assert.rejects(app.start(), {
      name: "StartError",
      message: `v2ray_api: listen 127.0.0.1:${address.port}: address in use`,
    });
    const refused = connect({ host: "127.0.0.1", port: inboundPort });
    assert.equal(((await event(refused, "error")) as NodeJS.ErrnoException).code, "ECONNREFUSED");
  });

  it("cuts a client that came in before it failed", io, async (t) => {
    closeAfter(t);
    const port = await closedPort();
    const { app, api } = build(t, {
      inbounds: [mixed("in", port)],
      experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
    });
    api.onStart = async () => {
      const client = await connectTo(t, { host: "127.0.0.1", port });
      client.resume();
      client.on("end", () => client.end());
      throw new TypeError("no such thing");
    };
    await assert.rejects(app.start(), { message: "v2ray_api: no such thing" });
  });

  it("says so even if no error was thrown", io, async (t) => {
    const { app, api } = build(t, { experimental: { v2ray_api: { listen: "127.0.0.1:0" } } });
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever somebody's code throws
    api.onStart = async () => Promise.reject("just a string");
    await assert.rejects(app.start(), { message: "v2ray_api: just a string" });
  });
});

describe("App's stop", () => {
  const config = {
    inbounds: [mixed("in")],
    experimental: { v2ray_api: { listen: "127.0.0.1:0" } },
  };

  it("waits for connections, lets nobody in, and stops the API", io, async (t) => {
    const { app, api } = build(t, config);
    const proxy = proxyIn(await app.start());
    const destination = await startDestination(t);
    const client = await openTunnel(t, { protocol: "http", proxy, destination: destination.endpoint });
    const remote = await destination.accept();
    let isStopped = false;
    const stopped = app.stop(never).then(() => (isStopped = true));
    await turns(5);
    assert.equal(isStopped, false);
    assert.deepEqual(api.calls, ["start", "stop"]);
    await assert.rejects(connectTo(t, proxy), { code: "ECONNREFUSED" });
    client.end("late");
    remote.end("later");
    assert.equal((await readAll(remote)).toString(), "late");
    assert.equal((await readAll(client)).toString(), "later");
    await stopped;
  });

  it("cuts what is still open when it is told to", io, async (t) => {
    const { app } = build(t, config);
    const proxy = proxyIn(await app.start());
    const destination = await startDestination(t);
    const client = await openTunnel(t, { protocol: "socks5", proxy, destination: destination.endpoint });
    const remote = await destination.accept();
    const cut = new AbortController();
    const stopped = app.stop(cut.signal);
    await turns(5);
    cut.abort();
    await stopped;
    for (const end of [client, remote]) {
      end.resume();
      await closed(end.end());
    }
  });

  it("waits for a start that is under way, and leaves nothing listening", io, async (t) => {
    const { app, api } = build(t, config);
    const starting = app.start();
    await app.stop(AbortSignal.abort());
    assert.deepEqual(api.calls, ["start", "cut"]);
    await assert.rejects(connectTo(t, proxyIn(await starting)), { code: "ECONNREFUSED" });
  });

  it("may come twice", io, async (t) => {
    const { app, api } = build(t, config);
    await app.start();
    await app[Symbol.asyncDispose]();
    await app[Symbol.asyncDispose]();
    await app.stop(never);
    assert.deepEqual(api.calls, ["start", "cut"]);
  });
});

describe("App's counters", () => {
  const stats = { enabled: true, inbounds: ["in"], outbounds: ["direct"], users: ["alice"] };
  const names = [
    "inbound>>>in>>>traffic>>>uplink",
    "inbound>>>in>>>traffic>>>downlink",
    "outbound>>>direct>>>traffic>>>uplink",
    "outbound>>>direct>>>traffic>>>downlink",
    "user>>>alice>>>traffic>>>uplink",
    "user>>>alice>>>traffic>>>downlink",
  ];

  async function started(t: TestContext, config: object): Promise<Built & { readonly proxy: Endpoint }> {
    const built = build(t, config);
    return { ...built, proxy: proxyIn(await built.app.start()) };
  }

  it("count what went through, handshakes not included", io, async (t) => {
    const { app, proxy } = await started(t, {
      inbounds: [mixed("in", 0, [alice])],
      experimental: { v2ray_api: { stats } },
    });
    await transfer(t, proxy, alice);
    await app.stop(never);
    assert.deepEqual(
      valuesIn(app.store),
      Object.fromEntries(names.map((name, i) => [name, [3n, 5n][i % 2]])),
    );
  });

  it("come into being when a dial is refused", io, async (t) => {
    closeAfter(t);
    const { app, proxy } = await started(t, {
      inbounds: [mixed("in", 0, [alice])],
      experimental: { v2ray_api: { stats } },
    });
    assert.equal(app.store.size, 0);
    const destination = { host: "127.0.0.1", port: await closedPort() };
    const { answer } = await askProxy(t, { protocol: "socks5", proxy, destination, user: alice });
    assert.equal(answer, 5);
    assert.deepEqual(valuesIn(app.store), Object.fromEntries(names.map((name) => [name, 0n])));
  });

  it("do not come into being when a login fails", io, async (t) => {
    const { app, proxy } = await started(t, {
      inbounds: [mixed("in", 0, [alice])],
      experimental: { v2ray_api: { stats } },
    });
    const client = await connectTo(t, proxy);
    client.write(Buffer.concat([socks5Greeting(2), socks5Login("alice", "wrong"), Buffer.from("payload")]));
    assert.equal((await readAll(client)).toString("hex"), "05020101");
    const destination = { host: "127.0.0.1", port: 1 };
    const wrong = { username: "alice", password: "wrong" };
    const { answer } = await askProxy(t, { protocol: "http", proxy, destination, user: wrong });
    assert.equal(answer, 407);
    assert.equal(app.store.size, 0);
  });

  it("are none where stats are off, though they are listed", io, async (t) => {
    const { app, api, proxy } = await started(t, {
      inbounds: [mixed("in", 0, [alice])],
      experimental: { v2ray_api: { listen: "127.0.0.1:0", stats: { ...stats, enabled: false } } },
    });
    await transfer(t, proxy, alice);
    assert.equal(app.store.size, 0);
    assert.equal(api.created.length, 1);
    assert.equal(api.created[0]?.store, undefined);
  });

  it("are of those listed only", io, async (t) => {
    const { app, proxy } = await started(t, {
      inbounds: [mixed("in", 0, [alice]), mixed("other")],
      experimental: { v2ray_api: { stats: { enabled: true, inbounds: ["other"], users: ["alice"] } } },
    });
    await transfer(t, proxy, alice);
    await app.stop(never);
    assert.deepEqual(valuesIn(app.store), {
      "user>>>alice>>>traffic>>>uplink": 3n,
      "user>>>alice>>>traffic>>>downlink": 5n,
    });
  });

  const outbounds = [
    { type: "direct", tag: "one" },
    { type: "direct", tag: "two" },
  ];
  const routes: readonly (readonly [title: string, route: object, outbound: string])[] = [
    ["the first one where the route names none", {}, "one"],
    ["the one that route.final names", { final: "two" }, "two"],
    ["the first one that route.final names", { final: "one" }, "one"],
  ];
  for (const [title, route, outbound] of routes) {
    it(`are of the outbound that is chosen: ${title}`, io, async (t) => {
      const { app, proxy, logger } = await started(t, {
        inbounds: [mixed("in")],
        outbounds,
        route,
        experimental: { v2ray_api: { stats: { enabled: true, outbounds: ["one", "two"] } } },
      });
      await transfer(t, proxy);
      await app.stop(never);
      assert.deepEqual(valuesIn(app.store), {
        [`outbound>>>${outbound}>>>traffic>>>uplink`]: 3n,
        [`outbound>>>${outbound}>>>traffic>>>downlink`]: 5n,
      });
      const [line] = logger.lines.filter(({ message }) => message === "connection closed");
      assert.equal(line?.fields?.["outbound"], outbound);
    });
  }

  it("of one user in two inbounds are the same", io, async (t) => {
    const { app } = build(t, {
      inbounds: [mixed("a", 0, [alice]), mixed("b", 0, [alice])],
      experimental: { v2ray_api: { stats: { enabled: true, users: ["alice"], inbounds: ["a"] } } },
    });
    const addresses = await app.start();
    await transfer(t, proxyIn(addresses, 0), alice);
    await transfer(t, proxyIn(addresses, 1), alice);
    await app.stop(never);
    assert.deepEqual(valuesIn(app.store), {
      "inbound>>>a>>>traffic>>>uplink": 3n,
      "inbound>>>a>>>traffic>>>downlink": 5n,
      "user>>>alice>>>traffic>>>uplink": 6n,
      "user>>>alice>>>traffic>>>downlink": 10n,
    });
  });
});
