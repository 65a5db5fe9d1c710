import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ListenError } from "../../src/net/listen-error.js";
import { ApiServer } from "../../src/rpc/api-server.js";
import { firstPort } from "../helpers/first-port.js";
import { sendHttp1 } from "../helpers/raw-http.js";
import { RecordingLogger } from "../helpers/recording-logger.js";
import { closeAfter } from "../helpers/sockets.js";

const secrets = [{ name: "a", secret: "s3cret" }];

describe("an ApiServer beyond loopback", { timeout: 20_000 }, () => {
  for (const host of ["0.0.0.0", "::", "", "panel.example"]) {
    it(`does not start without a secret: ${JSON.stringify(host)}`, async (t) => {
      for (const options of [{}, { secrets: [] }, { insecure: false }]) {
        const server = new ApiServer({ listen: { host, port: 0 }, ...options });
        closeAfter(t, server);
        await assert.rejects(server.start(), (error) => {
          assert.ok(error instanceof ListenError);
          assert.match(
            error.message,
            /^listen .*:0: other machines can reach it: give it secrets or mutual TLS, let it /,
          );
          return true;
        });
      }
    });
  }

  it("starts with a secret, and warns of nothing", async (t) => {
    const logger = new RecordingLogger();
    const server = new ApiServer({ listen: { host: "0.0.0.0", port: 0 }, secrets, insecure: true, logger });
    closeAfter(t, server);
    const port = firstPort(await server.start());
    assert.equal((await sendHttp1(port, { path: "/" })).status, 401);
    assert.deepEqual(
      logger.lines.filter(({ level }) => level !== "debug"),
      [],
    );
  });

  it("starts where that is meant, and warns of it", async (t) => {
    const logger = new RecordingLogger();
    const server = new ApiServer({ listen: { host: "0.0.0.0", port: 0 }, insecure: true, logger });
    closeAfter(t, server);
    const port = firstPort(await server.start());
    assert.equal((await sendHttp1(port, { path: "/" })).status, 404);
    const [warning, ...more] = logger.lines.filter(({ level }) => level === "warn");
    assert.equal(
      warning?.message,
      "whoever reaches the V2Ray API can read and reset the counters: it has no secret",
    );
    assert.deepEqual(warning.fields, { listen: "0.0.0.0:0" });
    assert.deepEqual(more, []);
  });
});
