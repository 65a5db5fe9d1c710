import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import type { ApiServerOptions } from "../../src/rpc/api-server.js";
import { refused, refusalsOf, startLimited } from "../helpers/limited-api.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";
import { event, failed } from "../helpers/timing.js";
import { fixtureTls } from "../helpers/tls-port.js";

const io = { timeout: 10_000 };
/** As if the proxy alone came from there. */
const proxyHost = "127.0.0.9";

async function start(t: TestContext, options: Partial<ApiServerOptions> = {}) {
  const logger = new RecordingLogger();
  const asked: Endpoint[] = [];
  const isOwnConnection = ({ host }: Endpoint, accepted: Endpoint): boolean => {
    asked.push(accepted);
    return host === proxyHost;
  };
  const api = await startLimited(t, { isOwnConnection, logger, ...options });
  return { api, logger, asked };
}

function connectFrom(t: TestContext, localAddress: string, port: number): Socket {
  const socket = connect({ host: "127.0.0.1", port, localAddress });
  closeAfter(t, socket);
  return socket;
}

describe("an API that is told which connections are its own proxy's", () => {
  for (const [title, options] of Object.entries({ cleartext: {}, TLS: { tls: fixtureTls } })) {
    it(`resets them before anything is read, in ${title}`, io, async (t) => {
      const { api, asked } = await start(t, options);
      const client = connectFrom(t, proxyHost, api.port);
      assert.equal((await failed(client)).code, "ECONNRESET");
      assert.equal(client.bytesRead, 0);
      assert.deepEqual(asked, [{ host: "127.0.0.1", port: api.port }]);
    });
  }

  it("warns of the first, mentions the others, and counts all of them", io, async (t) => {
    const { api, logger } = await start(t);
    for (let count = 0; count < 3; count++) await failed(connectFrom(t, proxyHost, api.port));
    await refused(api, { own_connection: 3 });
    const message = "refusing clients of the proxy at the V2Ray API: allow_from_proxy is not set";
    const told = logger.lines.filter((line) => line.message === message);
    assert.deepEqual(
      told.map(({ level }) => level),
      ["warn", "debug", "debug"],
    );
    for (const { fields } of told) assert.match(String(fields?.["source"]), /^127\.0\.0\.9:\d+$/);
  });

  it("lets all others in, from the same machine", io, async (t) => {
    const { api } = await start(t);
    await failed(connectFrom(t, proxyHost, api.port));
    const client = connectFrom(t, "127.0.0.8", api.port);
    client.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.match(String(await event(client, "data")), /^HTTP\/1\.1 200 /);
    assert.deepEqual(await refusalsOf(api), { own_connection: 1 });
  });

  it("keeps no place of its limits for them", io, async (t) => {
    const { api } = await start(t, { maxConnections: 1 });
    for (let count = 0; count < 3; count++) await failed(connectFrom(t, proxyHost, api.port));
    await refused(api, { own_connection: 3 });
  });
});
