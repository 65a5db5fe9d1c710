import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { toConfig } from "../src/config/to-config.js";
import { createOutbound } from "../src/create-outbound.js";
import { silentLogger } from "../src/log/logger.js";
import { DirectOutbound } from "../src/proxy/direct-outbound.js";
import { HttpOutbound } from "../src/proxy/http-outbound.js";
import { carriesPackets, type Outbound } from "../src/proxy/outbound.js";

function outboundOf(config: object): Outbound {
  const [outbound] = toConfig({ outbounds: { tag: "out", ...config } }).outbounds;
  assert.ok(outbound !== undefined);
  return createOutbound(outbound, silentLogger);
}

describe("createOutbound", () => {
  const server = { server: "proxy.example", server_port: 1080 };
  const cases: readonly (readonly [config: object, blocks: boolean, packets: boolean])[] = [
    [{ type: "direct" }, false, true],
    [{ type: "block" }, true, false],
    [{ type: "socks", ...server }, false, true],
    [{ type: "socks", ...server, network: "udp" }, false, true],
    [{ type: "socks", ...server, network: "tcp" }, false, false],
    [{ type: "http", ...server }, false, false],
  ];
  for (const [config, blocks, packets] of cases) {
    it(`makes of ${JSON.stringify(config)} one that ${packets ? "carries" : "does not carry"} packets`, () => {
      const outbound = outboundOf(config);
      assert.deepEqual([outbound.tag, outbound.blocks], ["out", blocks]);
      assert.equal(!outbound.blocks && carriesPackets(outbound), packets);
    });
  }

  it("makes outbounds of the class of their type", () => {
    assert.ok(outboundOf({ type: "direct" }) instanceof DirectOutbound);
    assert.ok(outboundOf({ type: "http", ...server }) instanceof HttpOutbound);
  });
});
