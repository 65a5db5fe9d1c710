import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { OnePortServer, type OnePortServerOptions } from "../../src/rpc/one-port-server.js";
import type { NodeHandler } from "../../src/rpc/node-http.js";
import { refuse } from "../../src/rpc/refusal.js";
import { readAll } from "../helpers/bytes.js";
import { openRaw, openSession, openStream } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";
import { closed, event } from "../helpers/timing.js";

const io = { timeout: 10_000 };

/** Reads the beginning of a request and says no. */
const readBeginning: NodeHandler = (request, response) => {
  request.on("error", () => undefined);
  const body = request.iterator({ destroyOnReturn: false });
  void body.next().then(async () => {
    await body.return?.();
    response.statusCode = 403;
    response.end("no\n");
  });
};

/** Says no without a look at the body. */
const readNothing: NodeHandler = (_request, response) => {
  response.statusCode = 403;
  response.end("no\n");
};

/** Reads until it has had enough, while more has come than it took, and says no. */
const readTooMuch: NodeHandler = (request, response) => {
  request.on("error", () => undefined);
  const read = async (): Promise<void> => {
    let bytes = 0;
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes >= 20_000) break;
    }
    response.statusCode = 403;
    response.end("no\n");
  };
  void read();
};

async function start(
  t: TestContext,
  onRequest: NodeHandler = readBeginning,
  options: Partial<OnePortServerOptions> = {},
): Promise<number> {
  const server = new OnePortServer({ onRequest, ...options });
  closeAfter(t, server);
  return (await server.listen({ host: "127.0.0.1", port: 0 })).port;
}

const head = "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
const smallChunk = "1\r\nx\r\n";
const bigChunk = Buffer.from(`10000\r\n${"x".repeat(0x10000)}\r\n`);
const rest = Buffer.concat([...Array.from({ length: 64 }, () => bigChunk), Buffer.from("0\r\n\r\n")]);

/** Goes on sending until the connection ends, as fast as it is read. */
function flood(socket: Socket): void {
  while (socket.writable && socket.write(bigChunk));
  if (socket.writable) {
    socket.once("drain", () => {
      flood(socket);
    });
  }
}

describe("freeCallerAfter()", () => {
  it(
    "closes an HTTP/2 stream whose request never ends, after its answer, without an error",
    io,
    async (t) => {
      const session = openSession(t, await start(t));
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

  for (const [what, handler] of [
    ["nothing", readNothing],
    ["the beginning", readBeginning],
    ["too much", readTooMuch],
  ] as const) {
    it(
      `lets go of an HTTP/2 request of which was read ${what}, whether its caller stays or leaves`,
      io,
      async (t) => {
        for (const leaves of [false, true]) {
          const gone = new Promise<void>((resolve) => {
            void start(t, (request, response) => {
              if ("stream" in request) void closed(request.stream).then(resolve);
              handler(request, response);
            }).then((port) => {
              const session = openSession(t, port);
              const stream = openStream(session, { path: "/" });
              stream.on("error", () => undefined);
              stream.resume().once("end", () => {
                if (leaves) session.destroy();
              });
              stream.end(Buffer.alloc(100_000));
            });
          });
          await gone;
        }
      },
    );
  }

  it("leaves a session usable whose stream it closed", io, async (t) => {
    const session = openSession(t, await start(t));
    for (const path of ["/one", "/two"]) {
      const stream = openStream(session, { path });
      stream.resume();
      stream.write("more");
      await closed(stream);
    }
    assert.equal(session.destroyed, false);
  });

  it("reads no more than a window of an HTTP/2 request that never ends", io, async (t) => {
    const sockets: Pick<Socket, "bytesRead">[] = [];
    const port = await start(t, (request, response) => {
      // The session's, as the request has none any more when its stream is gone.
      if ("stream" in request && request.stream.session !== undefined)
        sockets.push(request.stream.session.socket);
      readBeginning(request, response);
    });
    const stream = openStream(openSession(t, port), { path: "/" });
    stream.resume();
    for (let index = 0; index < 100; index++) stream.write(Buffer.alloc(100_000));
    await closed(stream);
    assert.equal(stream.rstCode, 0);
    assert.equal(sockets.length, 1);
    // From Node 22 on a window has 256 KiB.
    for (const { bytesRead } of sockets) assert.ok(bytesRead < 600_000, String(bytesRead));
  });

  it("reads an HTTP/1.1 request to its end, and serves the next one", io, async (t) => {
    const connection = await openRaw(t, await start(t), head, smallChunk);
    await connection.received("no\n");
    connection.send(rest);
    connection.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const text = await connection.received("no\n", 2);
    assert.equal(text.split("HTTP/1.1 403 Forbidden").length, 3);
  });

  for (const { what, text } of [
    { what: "HTTP/1.1 client that asks to close", text: head.replace("\r\n", "\r\nConnection: close\r\n") },
    {
      what: "HTTP/1.0 client",
      text: `POST / HTTP/1.0\r\nHost: localhost\r\nContent-Length: ${smallChunk.length + rest.length}\r\n\r\n`,
    },
  ]) {
    it(`reads the request of an ${what} to its end before it closes`, io, async (t) => {
      const socket = connect({ host: "127.0.0.1", port: await start(t) });
      closeAfter(t, socket);
      socket.write(text + smallChunk);
      assert.match(String(await event(socket, "data")), /\r\nconnection: close\r\n[^]*no\n$/i);
      socket.end(rest);
      assert.equal((await readAll(socket)).length, 0);
    });
  }

  it("lets a connection end in its usual time that was kept once", io, async (t) => {
    const connection = await openRaw(t, await start(t), head, smallChunk);
    await connection.received("no\n");
    connection.send(
      "0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
    );
    assert.equal((await connection.closed()).split("HTTP/1.1 403 Forbidden").length, 3);
  });

  it("has a long answer for an HTTP/1.1 client that reads nothing before it has sent all", io, async (t) => {
    const length = 20_000_000;
    const port = await start(t, (request, response) => {
      request.once("readable", () => {
        request.read(1);
        response.end(Buffer.alloc(length, "y"));
      });
    });
    const socket = connect({ host: "127.0.0.1", port });
    closeAfter(t, socket);
    socket.write(head.replace("\r\n", "\r\nConnection: close\r\n"));
    for (let index = 0; index < 200; index++) socket.write(bigChunk);
    await new Promise((resolve) => socket.write("0\r\n\r\n", resolve));
    assert.ok((await readAll(socket)).length > length);
  });

  for (const { what, onRequest } of [
    { what: "read in part", onRequest: readBeginning },
    { what: "not read at all", onRequest: readNothing },
    {
      what: "refused",
      onRequest: ((request, response) => {
        refuse(request, response, "permissionDenied", "no");
      }) satisfies NodeHandler,
    },
  ]) {
    it(`cuts an HTTP/1.1 request after 16 MiB that was ${what}, but for its answer`, io, async (t) => {
      const sockets: Socket[] = [];
      const port = await start(t, (request, response) => {
        sockets.push(request.socket);
        onRequest(request, response);
      });
      const connection = await openRaw(t, port, head, smallChunk);
      await connection.received("no");
      flood(connection.socket);
      const text = await connection.closed();
      assert.match(text, /^HTTP\/1\.1 403 Forbidden\r\n/);
      assert.equal(text.split("HTTP/1.1").length, 2);
      assert.equal(sockets.length, 1);
      for (const { bytesRead } of sockets) {
        assert.ok(bytesRead > 16 * 1024 * 1024, String(bytesRead));
        assert.ok(bytesRead < 17 * 1024 * 1024, String(bytesRead));
      }
    });

    it(`waits no longer for the end of an HTTP/1.1 request that was ${what} than for any`, io, async (t) => {
      const connection = await openRaw(t, await start(t, onRequest, { firstRequestTimeoutMs: 250 }), head);
      connection.send(smallChunk);
      assert.match(await connection.closed(), /^HTTP\/1\.1 403 Forbidden\r\n/);
    });
  }
});
