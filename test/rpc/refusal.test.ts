import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { refuse, type RefusalCode } from "../../src/rpc/refusal.js";
import { envelopesOf } from "../helpers/grpc.js";
import { openSession, openStream, readAnswer, sendHttp1, sendHttp2, versions } from "../helpers/raw-http.js";
import { closeAfter } from "../helpers/sockets.js";

const message = 'no "é" here: 100%';
const encodedMessage = 'no "%C3%A9" here: 100%25';

async function startRefusing(t: TestContext, code: RefusalCode): Promise<number> {
  const server = new OnePortServer({
    onRequest: (request, response) => {
      response.setHeader("x-before", "kept");
      refuse(request, response, code, message);
    },
  });
  closeAfter(t, server);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return port;
}

const codes = [
  { code: "invalidArgument", grpc: "3", connect: "invalid_argument", http: 400 },
  { code: "notFound", grpc: "5", connect: "not_found", http: 404 },
  { code: "permissionDenied", grpc: "7", connect: "permission_denied", http: 403 },
  { code: "unimplemented", grpc: "12", connect: "unimplemented", http: 501 },
  { code: "unknownService", grpc: "12", connect: "unimplemented", http: 404 },
] as const;

describe("refuse()", { timeout: 10_000 }, () => {
  for (const { code, grpc, connect, http } of codes) {
    for (const contentType of ["application/grpc", "application/grpc+proto"]) {
      it(`answers ${contentType} over HTTP/2 with one frame that says ${grpc}`, async (t) => {
        const port = await startRefusing(t, code);
        const answer = await sendHttp2(port, {
          path: "/",
          headers: { "content-type": contentType },
          body: "x",
        });
        assert.equal(answer.isOneFrame, true);
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["grpc-status"], grpc);
        assert.equal(answer.headers["grpc-message"], encodedMessage);
        assert.equal(answer.headers["content-type"], contentType);
        assert.equal(answer.headers["x-before"], "kept");
        assert.equal(answer.body.length, 0);
      });
    }

    it(`answers gRPC over HTTP/1.1 with a head that says ${grpc}`, async (t) => {
      const port = await startRefusing(t, code);
      const headers = { "content-type": "application/grpc" };
      const answer = await sendHttp1(port, { path: "/", headers });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers["grpc-status"], grpc);
      assert.equal(answer.headers["content-length"], "0");
    });

    for (const { version, send } of versions) {
      it(`answers gRPC-Web in a frame of the body that says ${grpc}: ${version}`, async (t) => {
        const port = await startRefusing(t, code);
        const headers = { "content-type": "application/grpc-web+proto" };
        const answer = await send(port, { path: "/", headers });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers["content-type"], "application/grpc-web+proto");
        assert.equal(answer.headers["grpc-status"], undefined);
        const [trailers, ...others] = envelopesOf(answer.body);
        assert.equal(trailers?.flags, 0x80);
        assert.equal(trailers.data.toString(), `grpc-status: ${grpc}\r\ngrpc-message: ${encodedMessage}\r\n`);
        assert.deepEqual(others, []);
      });

      it(`answers gRPC-Web's text form in base64: ${version}`, async (t) => {
        const port = await startRefusing(t, code);
        const headers = { "content-type": "application/grpc-web-text" };
        const answer = await send(port, { path: "/", headers });
        assert.equal(answer.headers["content-type"], "application/grpc-web-text");
        const [trailers] = envelopesOf(Buffer.from(answer.body.toString("latin1"), "base64"));
        assert.equal(
          trailers?.data.toString(),
          `grpc-status: ${grpc}\r\ngrpc-message: ${encodedMessage}\r\n`,
        );
      });

      for (const contentType of [undefined, "application/json", "application/proto", "text/html"]) {
        it(`answers ${contentType ?? "nothing in particular"} with HTTP ${http} and JSON: ${version}`, async (t) => {
          const port = await startRefusing(t, code);
          const headers = contentType === undefined ? {} : { "content-type": contentType };
          const answer = await send(port, { path: "/", headers });
          assert.equal(answer.status, http);
          assert.equal(answer.headers["content-type"], "application/json");
          assert.equal(answer.headers["x-before"], "kept");
          assert.deepEqual(JSON.parse(answer.body.toString()), { code: connect, message });
          assert.equal(answer.headers["content-length"], String(answer.body.length));
          assert.ok(answer.body.toString().endsWith("}\n"));
        });
      }

      it(`answers HEAD without a body: ${version}`, async (t) => {
        const port = await startRefusing(t, code);
        const answer = await send(port, { method: "HEAD", path: "/" });
        assert.equal(answer.status, http);
        assert.equal(answer.body.length, 0);
      });
    }
  }

  for (const contentType of ["application/json", "application/grpc", "application/grpc-web"]) {
    for (const { version, send } of versions) {
      it(`lets a caller send all of a long request: ${contentType} over ${version}`, async (t) => {
        const port = await startRefusing(t, "unimplemented");
        const body = Buffer.alloc(4_000_000);
        const { status } = await send(port, { path: "/", headers: { "content-type": contentType }, body });
        assert.equal(status, contentType === "application/json" ? 501 : 200);
      });
    }

    it(`does not wait for the request: ${contentType} over HTTP/2`, async (t) => {
      const port = await startRefusing(t, "unimplemented");
      const stream = openStream(openSession(t, port), {
        path: "/",
        headers: { "content-type": contentType },
      });
      stream.write("x");
      assert.ok((await readAnswer(stream)).status > 0);
      stream.end();
    });
  }
});

describe("refuse() of a request that is still being sent", () => {
  for (const { version, send } of versions) {
    it(`has it read, so that Node does not reset it before the answer is out: ${version}`, async (t) => {
      const flowing: (boolean | null)[] = [];
      const server = new OnePortServer({
        onRequest: (request, response) => {
          refuse(request, response, "permissionDenied", message);
          flowing.push(request.readableFlowing);
        },
      });
      closeAfter(t, server);
      const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
      const answer = await send(port, { path: "/", body: "x".repeat(10_000) });
      assert.equal(answer.status, 403);
      assert.deepEqual(flowing, [true]);
    });
  }
});
