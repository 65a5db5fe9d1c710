import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../../src/net/endpoint.js";
import { remoteEndpointOf } from "../../../src/net/socket-endpoint.js";
import type { PacketRequest } from "../../../src/proxy/inbound.js";
import {
  SocksAssociations,
  type SocksAssociationsOptions,
} from "../../../src/proxy/socks/socks-associations.js";
import type { AssociateRequest } from "../../../src/proxy/socks/socks5-handshake.js";
import { PacketInbox } from "../../helpers/packet-inbox.js";
import { RecordingLogger } from "../../helpers/recording-logger.js";
import { socketPair } from "../../helpers/sockets.js";
import { socks5Packet } from "../../helpers/socks5-udp-client.js";
import { closed, turns } from "../../helpers/timing.js";
import { openUdpPeer } from "../../helpers/udp-peer.js";

const io = { timeout: 10_000 };
const dns: Endpoint = { host: "192.0.2.1", port: 53 };
const unspecified: Endpoint = { host: "0.0.0.0", port: 0 };

interface Fixture {
  readonly associations: SocksAssociations;
  readonly logger: RecordingLogger;
  /** What was handed over, in order. */
  readonly requests: readonly PacketRequest[];
}

/** Associations whose packets nobody carries. */
function createAssociations(options: Partial<SocksAssociationsOptions> = {}): Fixture {
  const requests: PacketRequest[] = [];
  const logger = new RecordingLogger();
  const onPackets = async (request: PacketRequest): Promise<void> => {
    requests.push(request);
    await request.client.closed;
  };
  return {
    associations: new SocksAssociations({ inbound: "in", onPackets, logger, ...options }),
    logger,
    requests,
  };
}

/** A client's request, and what it was answered. */
interface Asked {
  readonly request: AssociateRequest;
  readonly answers: readonly (Endpoint | "no")[];
  readonly client: Socket;
}

async function ask(t: TestContext, user?: string): Promise<Asked> {
  const { client, server: control } = await socketPair(t);
  client.once("end", () => client.end());
  const answers: (Endpoint | "no")[] = [];
  const request: AssociateRequest = {
    ...{ control, user, expected: unspecified },
    accept: (relay) => answers.push(relay),
    reject: () => {
      answers.push("no");
      control.destroy();
    },
  };
  return { request, answers, client };
}

describe("SocksAssociations.serve", () => {
  for (const user of ["alice", undefined]) {
    it(`tells the client its port, and hands its packets over: user ${String(user)}`, io, async (t) => {
      const { associations, logger, requests } = createAssociations();
      const { request, answers, client } = await ask(t, user);
      const source = remoteEndpointOf(request.control);
      const served = associations.serve(request);
      const [handed] = requests;
      assert.ok(handed !== undefined);
      assert.deepEqual([handed.inbound, handed.user, handed.source], ["in", user, source]);
      const [relay] = answers;
      assert.ok(typeof relay === "object");
      const inbox = new PacketInbox(handed.client);
      const peer = await openUdpPeer(t);
      await peer.send(socks5Packet("hello", dns), relay);
      assert.deepEqual(await inbox.nextText(), ["hello", dns]);
      client.end();
      await served;
      assert.deepEqual([answers.length, requests.length, logger.lines], [1, 1, []]);
    });
  }

  it("resolves when the packets are carried no more, not before", io, async (t) => {
    let finish: () => void = () => undefined;
    const carried = new Promise<void>((resolve) => (finish = resolve));
    const { associations } = createAssociations({ onPackets: async () => carried });
    const { request, client } = await ask(t);
    let isServed = false;
    const served = associations.serve(request).then(() => (isServed = true));
    client.destroy();
    await closed(request.control);
    await turns(3);
    assert.equal(isServed, false);
    finish();
    await served;
  });

  it("has the association's lines logged", io, async (t) => {
    const { associations, logger, requests } = createAssociations();
    const { request, answers, client } = await ask(t);
    const served = associations.serve(request);
    const [relay] = answers;
    assert.ok(typeof relay === "object" && requests[0] !== undefined);
    const inbox = new PacketInbox(requests[0].client);
    const peer = await openUdpPeer(t);
    await peer.send("no packet", relay);
    await peer.send(socks5Packet("hello", dns), relay);
    await inbox.next();
    client.end();
    await served;
    assert.deepEqual(logger.messages("debug"), ["packet dropped"]);
  });

  for (const [what, options, idleMs] of [
    ["5 minutes", {}, 300_000],
    ["as long as it is told", { idleTimeoutMs: 20_000 }, 20_000],
  ] as const) {
    it(`ends what nothing passes through for ${what}`, io, async (t) => {
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const { associations } = createAssociations(options);
      const { request } = await ask(t);
      let isServed = false;
      const served = associations.serve(request).then(() => (isServed = true));
      t.mock.timers.tick(idleMs - 1);
      await turns(3);
      assert.equal(isServed, false);
      t.mock.timers.tick(1);
      await Promise.all([served, closed(request.control)]);
    });
  }

  it("gives nothing to a client that has gone, and hands over what is over", io, async (t) => {
    const { associations, requests } = createAssociations();
    const { request } = await ask(t);
    request.control.destroy();
    await closed(request.control);
    await associations.serve(request);
    await requests[0]?.client.closed;
    assert.equal(requests.length, 1);
  });
});

describe("SocksAssociations' bound", () => {
  it("refuses what is beyond it, and says so", io, async (t) => {
    const { associations, logger, requests } = createAssociations({ maxCount: 2 });
    const asked = [await ask(t), await ask(t), await ask(t, "alice")];
    const served = asked.map(async ({ request }) => associations.serve(request));
    await served[2];
    assert.deepEqual(
      asked.map(({ answers }) => answers.map((answer) => (answer === "no" ? "no" : "yes"))),
      [["yes"], ["yes"], ["no"]],
    );
    assert.equal(requests.length, 2);
    const source = `127.0.0.1:${asked[2]?.client.localPort ?? 0}`;
    const fields = { inbound: "in", user: "alice", source };
    assert.deepEqual(logger.lines, [{ level: "warn", message: "no association beyond 2", fields }]);
    for (const { client } of asked) client.destroy();
    await Promise.all(served);
  });

  it("has room again when one has ended, and for what was refused takes none", io, async (t) => {
    const { associations } = createAssociations({ maxCount: 1 });
    const [first, second, third] = [await ask(t), await ask(t), await ask(t)];
    const served = associations.serve(first.request);
    await associations.serve(second.request);
    assert.deepEqual(second.answers, ["no"]);
    first.client.end();
    await served;
    const servedThird = associations.serve(third.request);
    assert.equal(typeof third.answers[0], "object");
    third.client.end();
    await servedThird;
  });

  it("is not used up by what has no port", io, async (t) => {
    const { associations, logger, requests } = createAssociations({ maxCount: 1 });
    for (let time = 0; time < 2; time++) {
      const { request, answers } = await ask(t, "alice");
      // An address that this machine does not have.
      Object.defineProperty(request.control, "localAddress", { value: "192.0.2.1" });
      await associations.serve(request);
      assert.deepEqual(answers, ["no"]);
    }
    const { request, answers, client } = await ask(t);
    const served = associations.serve(request);
    assert.equal(typeof answers[0], "object");
    client.end();
    await served;
    assert.equal(requests.length, 1);
    const [line] = logger.lines;
    assert.deepEqual([logger.lines.length, line?.level, line?.fields?.["user"]], [2, "warn", "alice"]);
    assert.match(line?.message ?? "", /^no association: listen 192\.0\.2\.1:0: /);
  });
});
