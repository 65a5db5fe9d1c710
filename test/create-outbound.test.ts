import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../src/config/to-config.js";
import { createOutbound } from "../src/create-outbound.js";
import { silentLogger } from "../src/log/logger.js";
import { OwnListeners } from "../src/net/own-listeners.js";
import { OwnSockets } from "../src/net/own-sockets.js";
import { Resolver } from "../src/net/resolver.js";
import { DirectOutbound } from "../src/proxy/direct/direct-outbound.js";
import { HttpOutbound } from "../src/proxy/http/http-outbound.js";
import {
  carriesConnections,
  carriesPackets,
  type DialingOutbound,
  type Outbound,
} from "../src/proxy/outbound.js";

function outboundOf(config: object, resolver = new Resolver()): Outbound {
  const [outbound] = toConfig({ outbounds: { tag: "out", ...config } }).outbounds;
  assert.ok(outbound !== undefined);
  return createOutbound(outbound, {
    ...{ logger: silentLogger, resolver },
    ownSockets: new OwnSockets(),
    ownListeners: new OwnListeners(),
  });
}

describe("createOutbound", () => {
  const server = { server: "proxy.example", server_port: 1080 };
  const cases: readonly (readonly [config: object, blocks: boolean, carried: readonly string[]])[] = [
    [{ type: "direct" }, false, ["tcp", "udp"]],
    [{ type: "block" }, true, []],
    [{ type: "socks", ...server }, false, ["tcp", "udp"]],
    [{ type: "socks", ...server, network: "udp" }, false, ["udp"]],
    [{ type: "socks", ...server, network: "tcp" }, false, ["tcp"]],
    [{ type: "http", ...server }, false, ["tcp"]],
  ];
  for (const [config, blocks, carried] of cases) {
    it(`makes of ${JSON.stringify(config)} one that carries ${carried.join(" and ") || "nothing"}`, () => {
      const outbound = outboundOf(config);
      assert.deepEqual([outbound.tag, outbound.blocks], ["out", blocks]);
      const found = [carriesConnections(outbound) ? "tcp" : [], carriesPackets(outbound) ? "udp" : []];
      assert.deepEqual(found.flat(), carried);
    });
  }

  it("makes outbounds of the class of their type", () => {
    assert.ok(outboundOf({ type: "direct" }) instanceof DirectOutbound);
    assert.ok(outboundOf({ type: "http", ...server }) instanceof HttpOutbound);
  });

  it("makes them share a resolver: what one has asked for, no other asks for again", async () => {
    const asked: string[] = [];
    const lookup = async (name: string) => {
      asked.push(name);
      return Promise.reject(new Error("no such name"));
    };
    const resolver = new Resolver({ lookup });
    const configs = [
      [{ type: "direct" }, "unresolved"],
      // Of the server nobody but the log is told.
      [{ type: "socks", ...server }, "failed"],
      [{ type: "http", ...server }, "failed"],
    ] as const;
    for (const [config, code] of [...configs, ...configs]) {
      const outbound = outboundOf(config, resolver);
      assert.ok(carriesConnections(outbound));
      await assert.rejects(dialServer(outbound), { code });
    }
    assert.deepEqual(asked, ["proxy.example"]);
  });
});

async function dialServer(outbound: DialingOutbound): Promise<unknown> {
  return outbound.dial({ host: "proxy.example", port: 1080 });
}
