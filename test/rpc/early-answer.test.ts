import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { openRaw, openSession, openStream } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed } from "../helpers/timing.js";

const io = { timeout: 10_000 };

/** A server that reads the beginning of a request and says no. */
async function startRefusing(t: TestContext): Promise<number> {
  const server = new OnePortServer({
    onRequest: (request, response) => {
      request.on("error", () => undefined);
      // What is not read at all, Node itself gets out of the way.
      const body = request.iterator({ destroyOnReturn: false });
      void body.next().then(async () => {
        await body.return?.();
        response.statusCode = 403;
        response.end("no\n");
      });
    },
  });
  closeAfter(t, server);
  return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
}

describe("freeCallerAfter()", () => {
  it(
    "closes an HTTP/2 stream whose request never ends, after its answer, without an error",
    io,
    async (t) => {
      const session = openSession(t, await startRefusing(t));
      const stream = openStream(session, { path: "/" });
      let body = "";
      stream.setEncoding("utf8").on("data", (text: string) => (body += text));
      stream.write("the beginning of something long");
      const [headers] = (await once(stream, "response")) as [{ readonly ":status": number }];
      await closed(stream);
      assert.equal(headers[":status"], 403);
      assert.equal(body, "no\n");
      assert.equal(stream.rstCode, 0);
    },
  );

  it("leaves a session usable whose stream it closed", io, async (t) => {
    const session = openSession(t, await startRefusing(t));
    for (const path of ["/one", "/two"]) {
      const stream = openStream(session, { path });
      stream.resume();
      stream.write("more");
      await closed(stream);
    }
    assert.equal(session.destroyed, false);
  });

  it("reads an HTTP/1.1 request to its end, and serves the next one", io, async (t) => {
    const head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    const connection = await openRaw(t, await startRefusing(t), `${head}1\r\nx\r\n`);
    await connection.received("no\n");
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    connection.send(...Array.from({ length: 64 }, () => chunk), "0\r\n\r\n");
    connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const text = await connection.received("no\n", 2);
    assert.equal(text.split("HTTP/1.1 403 Forbidden").length, 3);
  });
});
