import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ListenError } from "../../src/net/listen-error.js";
import { ProxyInbound, type ProxyInboundOptions } from "../../src/proxy/proxy-inbound.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";

const users = [{ username: "alice", password: "secret" }];
const warning = "whoever reaches the inbound can use the proxy: it has no users";
const types = ["mixed", "socks", "http"] as const;

function create(t: TestContext, host: string, options: Partial<ProxyInboundOptions> = {}) {
  const logger = new RecordingLogger();
  const inbound = new ProxyInbound({
    ...{ tag: "in", type: "mixed", listen: { host, port: 0 }, logger },
    onRequest: async () => Promise.resolve(),
    ...options,
  });
  closeAfter(t, inbound);
  return { inbound, logger };
}

describe("a ProxyInbound beyond loopback", { timeout: 10_000 }, () => {
  for (const host of ["0.0.0.0", "::", "", "proxy.example"]) {
    it(`does not start without users: ${JSON.stringify(host)}`, async (t) => {
      for (const type of types) {
        for (const options of [{}, { users: [] }, { insecure: false }]) {
          const { inbound, logger } = create(t, host, { type, ...options });
          await assert.rejects(inbound.start(), (error) => {
            assert.ok(error instanceof ListenError);
            assert.match(
              error.message,
              /^listen .*:0: other machines can reach it: give it users, let it listen /,
            );
            return true;
          });
          assert.deepEqual(logger.lines, []);
        }
      }
    });
  }

  it("starts with users, and warns of nothing", async (t) => {
    const { inbound, logger } = create(t, "0.0.0.0", { users, insecure: true });
    await inbound.start();
    assert.deepEqual(logger.lines, []);
  });

  it("starts where that is meant, and warns of it", async (t) => {
    const { inbound, logger } = create(t, "0.0.0.0", { insecure: true });
    await inbound.start();
    assert.deepEqual(logger.lines, [
      { level: "warn", message: warning, fields: { inbound: "in", listen: "0.0.0.0:0" } },
    ]);
  });

  it("warns when its users are taken away", async (t) => {
    const { inbound, logger } = create(t, "0.0.0.0", { users, insecure: true });
    await inbound.start();
    inbound.replaceUsers(users);
    assert.deepEqual(logger.messages("warn"), []);
    inbound.replaceUsers([]);
    assert.deepEqual(logger.messages("warn"), [warning]);
  });
});

describe("a ProxyInbound on loopback", { timeout: 10_000 }, () => {
  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    it(`needs no users: ${host}`, async (t) => {
      const { inbound, logger } = create(t, host);
      await inbound.start();
      inbound.replaceUsers([]);
      assert.deepEqual(logger.lines, []);
    });
  }
});
