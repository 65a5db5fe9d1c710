import assert from "node:assert/strict";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { App } from "../src/app.js";
import { toConfig } from "../src/config/to-config.js";
import { RecordingLogger } from "./helpers/recording-logger.js";
import { closeAfter, closedPort } from "./helpers/sockets.js";
import { failed, until } from "./helpers/timing.js";
import { openUdpPeer } from "./helpers/udp-peer.js";

const io = { timeout: 10_000 };
/** Where no other test takes a port for itself. */
const listen = "127.0.0.55";

describe("App with inbounds that lead in a circle", () => {
  it("does not enter it, over TCP and over UDP", io, async (t) => {
    closeAfter(t);
    const [one, two] = [await closedPort(), await closedPort()];
    const way = { type: "direct", listen, override_address: listen };
    const config = toConfig({
      inbounds: [
        { ...way, tag: "one", listen_port: one, override_port: two },
        { ...way, tag: "two", listen_port: two, override_port: one },
      ],
    });
    const logger = new RecordingLogger();
    const app = new App(config, { createApiServer: () => assert.fail("there is no API"), logger });
    closeAfter(t, app);
    await app.start();
    const client = connect({ host: listen, port: one });
    closeAfter(t, client);
    assert.equal((await failed(client)).code, "ECONNRESET");
    const peer = await openUdpPeer(t);
    await peer.send("round", { host: listen, port: one });
    await until(() => logger.messages("info").length === 2);
    const told = logger.lines.filter(({ level }) => level === "info");
    const reason = `the proxy itself listens on ${listen}:${two}`;
    assert.deepEqual(
      told.map(({ message, fields }) => [message, fields?.["inbound"], fields?.["reason"]]),
      [
        ["connection blocked", "one", `connect to ${listen}:${two}: ${reason}`],
        ["packet dropped", "one", reason],
      ],
    );
  });
});
