import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { create, fromBinary, toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "#conformance/connectrpc/conformance/v1/server_compat_pb.js";
import { killAtExit } from "../helpers/program.js";
import { sendHttp2 } from "../helpers/raw-http.js";
import { failed } from "../helpers/timing.js";
import { delimited, readDelimited } from "./delimited.js";
import { rootPath } from "./outside-tool.js";

const io = { timeout: 20_000 };
const service = "/connectrpc.conformance.v1.ConformanceService";

interface Started {
  readonly child: ChildProcess;
  readonly host: string;
  readonly port: number;
}

const asRunnerDoes = ["npm", "run", "--silent", "conformance:server"] as const;
const directly = [process.execPath, "build/test/conformance/server.js"] as const;

async function start(
  t: TestContext,
  [program, ...args]: readonly [string, ...string[]],
  request: MessageInitShape<typeof ServerCompatRequestSchema>,
): Promise<Started> {
  const child = spawn(program, args, { cwd: rootPath, stdio: ["pipe", "pipe", "ignore"] });
  killAtExit(child);
  t.after(() => {
    child.kill();
    child.stdout.destroy();
  });
  const message = create(ServerCompatRequestSchema, request);
  child.stdin.end(delimited(toBinary(ServerCompatRequestSchema, message)));
  const answer = fromBinary(ServerCompatResponseSchema, await readDelimited(child.stdout));
  return { child, host: answer.host, port: answer.port };
}

describe("the conformance server", () => {
  it("tells where it listens, answers as a call defines, and ends at SIGTERM", io, async (t) => {
    const { child, host, port } = await start(t, asRunnerDoes, { messageReceiveLimit: 1_000 });
    assert.equal(host, "127.0.0.1");
    const headers = { "content-type": "application/json" };
    const definition = { responseDefinition: { responseData: "aGk=" } };
    const unary = { path: `${service}/Unary`, headers };
    const answer = await sendHttp2(port, { ...unary, body: JSON.stringify(definition) });
    const { payload } = JSON.parse(answer.body.toString()) as {
      payload: { data: string; requestInfo: { requests: unknown[] } };
    };
    assert.equal(payload.data, "aGk=");
    const type = "type.googleapis.com/connectrpc.conformance.v1.UnaryRequest";
    assert.deepEqual(payload.requestInfo.requests, [{ "@type": type, ...definition }]);

    const tooLong = await sendHttp2(port, { ...unary, body: JSON.stringify({ x: "x".repeat(1_000) }) });
    assert.match(tooLong.body.toString(), /resource_exhausted/);

    child.kill("SIGTERM");
    await once(child, "exit");
    assert.equal((await failed(connect({ host, port }))).code, "ECONNREFUSED");
  });

  it("takes a limit of 0 for none", io, async (t) => {
    const { port } = await start(t, directly, {});
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ x: "x".repeat(1_000_000) });
    assert.equal((await sendHttp2(port, { path: `${service}/Unary`, headers, body })).status, 200);
  });

  it("does not start for what it cannot do", io, async (t) => {
    await assert.rejects(start(t, directly, { useTls: true }), /ended before 4 bytes/);
  });
});
