import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { assertCounters, expectedCounters, queryCounters, type Counters } from "../helpers/api-client.js";
import { count, startApi } from "../helpers/api-server.js";
import { rootPath, startCli, testConfig, useCli } from "../helpers/cli.js";
import { askThrough, tunnelThrough } from "../helpers/cli-traffic.js";
import { openOrigin } from "../helpers/open-origin.js";
import { findProgram, needs, systemPython } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { TempDir } from "../helpers/temp-dir.js";
import { closed } from "../helpers/timing.js";

const io = { timeout: 60_000 };
const modules = ["grpc", "google.protobuf"].map((pythonModule) => ({ pythonModule }));
const clients = ["protoc", "grpc_python_plugin", ...modules];

/** The .proto file of each name of the service, without its ending: what its stubs are named after. */
const protos = [
  "v2ray/core/app/stats/command/command",
  "xray/app/stats/command/command",
  "experimental/v2rayapi/stats",
] as const;

/** Makes the calls that it reads from stdin, one after another over one channel, and prints how they ended. */
const script = `
import importlib, json, sys
import grpc
from google.protobuf.json_format import MessageToDict

address, module = sys.argv[1:]
messages = importlib.import_module(module + "_pb2")
stubs = importlib.import_module(module + "_pb2_grpc")
service = messages.DESCRIPTOR.services_by_name["StatsService"]
requests = {
    "GetStats": messages.GetStatsRequest,
    "QueryStats": messages.QueryStatsRequest,
    "GetSysStats": messages.SysStatsRequest,
    "GetStatsOnline": messages.GetStatsRequest,
    "GetStatsOnlineIpList": messages.GetStatsRequest,
}
for name in ["GetAllOnlineUsers", "GetUsersStats"]:
    if hasattr(messages, name + "Request"):
        requests[name] = getattr(messages, name + "Request")

def method(channel, stub, name):
    if hasattr(stub, name):
        return getattr(stub, name)
    # A method that a newer server may have, and whose answer is read as any bytes.
    return channel.unary_unary("/%s/%s" % (service.full_name, name), lambda request: b"", lambda answer: answer)

results = []
with grpc.insecure_channel(address) as channel:
    stub = stubs.StatsServiceStub(channel)
    for name, fields in json.load(sys.stdin):
        request = requests.get(name, messages.SysStatsRequest)(**fields)
        try:
            answer = method(channel, stub, name)(request, timeout=10)
            results.append(dict(answer=MessageToDict(answer)))
        except grpc.RpcError as error:
            results.append(dict(code=error.code().name, details=error.details()))
print(json.dumps(results))
`;

/** A method and the fields of its request. */
type Call = readonly [method: string, fields: object];

/** How a call ended: with the answer, in Protobuf's JSON, or with gRPC's status. */
type Outcome =
  | { readonly answer: Readonly<Record<string, unknown>> }
  | { readonly code: string; readonly details: string };

/** QueryStats' answer in JSON. */
function answerOf(counters: Counters): Outcome {
  const stat = Object.entries(counters).map(([name, value]) => ({
    name,
    ...(value > 0n && { value: String(value) }),
  }));
  return { answer: { stat } };
}

/** The folder of the stubs, made for all tests of the suite whose body calls this. */
function useStubs(): () => string {
  let folder: TempDir | undefined;
  before(async () => {
    const { path } = (folder = new TempDir());
    const plugin = `--plugin=protoc-gen-grpc=${findProgram("grpc_python_plugin")}`;
    const outputs = [`--python_out=${path}`, `--grpc_out=${path}`];
    const files = protos.map((proto) => `${proto}.proto`);
    const args = [plugin, ...outputs, `-I${join(rootPath, "proto")}`, ...files];
    const { code, stderr } = await runProgram("protoc", args);
    assert.equal(code, 0, stderr);
  });
  after(() => folder?.[Symbol.dispose]());
  return () => folder?.path ?? assert.fail("the suite has not begun");
}

describe("Python's grpcio", needs(...clients), () => {
  const cli = useCli();
  const stubs = useStubs();

  async function call(api: string, proto: string, calls: readonly Call[]): Promise<readonly Outcome[]> {
    const { code, stdout, stderr } = await runProgram(
      systemPython,
      ["-c", script, api, proto.replaceAll("/", ".")],
      // A program that comes as an argument looks for modules where it stands.
      { cwd: stubs(), input: Buffer.from(JSON.stringify(calls)) },
    );
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as readonly Outcome[];
  }

  /** What alice has moved, which is all that the counters show. */
  async function countAlice(t: TestContext): Promise<Counters> {
    const origin = await openOrigin(t);
    await queryCounters(cli().api, { reset: true });
    await askThrough(t, cli().proxy, "alice", `${origin.url}/bytes/300000`);
    await assertCounters(cli().api, () => expectedCounters("alice", origin.moved));
    return expectedCounters("alice", origin.moved);
  }

  const up = "user>>>alice>>>traffic>>>uplink";
  const down = "user>>>alice>>>traffic>>>downlink";

  for (const proto of protos) {
    it(`reads and resets counters with the stubs of ${proto}.proto`, io, async (t) => {
      const counters = await countAlice(t);
      const outcomes = await call(cli().api, proto, [
        ["GetStats", { name: down }],
        ["QueryStats", {}],
        ["QueryStats", { patterns: ["alice.*uplink$", "^nothing$"], regexp: true }],
        ["GetStats", { name: down, reset: true }],
        ["QueryStats", { pattern: "alice>>>", reset: true }],
        ["QueryStats", { patterns: ["alice>>>"] }],
      ]);
      const { [up]: sent = 0n, [down]: received = 0n } = counters;
      assert.ok(received > 300_000n);
      const one = { answer: { stat: { name: down, value: String(received) } } };
      assert.deepEqual(outcomes, [
        one,
        answerOf(counters),
        answerOf({ [up]: sent }),
        one,
        answerOf({ [up]: sent, [down]: 0n }),
        answerOf({ [up]: 0n, [down]: 0n }),
      ]);
      assert.deepEqual(await queryCounters(cli().api), { ...counters, [up]: 0n, [down]: 0n });
    });

    it(`is told what went wrong with the stubs of ${proto}.proto`, io, async () => {
      const [unknown, unimplemented, malformed] = await call(cli().api, proto, [
        ["GetStats", { name: "Ünknown %20" }],
        ["GetStatsOnlineOfTomorrow", {}],
        ["QueryStats", { patterns: ["a(b"], regexp: true }],
      ]);
      assert.deepEqual(unknown, { code: "NOT_FOUND", details: "Ünknown %20 not found." });
      assert.ok(unimplemented !== undefined && "code" in unimplemented);
      assert.equal(unimplemented.code, "UNIMPLEMENTED");
      assert.ok(malformed !== undefined && "code" in malformed);
      assert.equal(malformed.code, "INVALID_ARGUMENT");
      assert.match(malformed.details, /a\(b/);
    });
  }

  for (const proto of protos.filter((known) => known !== "experimental/v2rayapi/stats")) {
    it(`is told who is online with the stubs of ${proto}.proto`, io, async (t) => {
      const { api, proxy } = cli();
      const { [up]: sent = 0n, [down]: received = 0n } = await countAlice(t);
      const client = await tunnelThrough(t, proxy, "alice", (await openOrigin(t)).url);
      const name = "user>>>alice>>>online";
      const [count, list, names, users, counters, unknown] = await call(api, proto, [
        ["GetStatsOnline", { name }],
        ["GetStatsOnlineIpList", { name }],
        ["GetAllOnlineUsers", {}],
        ["GetUsersStats", { include_traffic: true, reset: true }],
        ["QueryStats", { pattern: "alice>>>" }],
        ["GetStatsOnline", { name: "user>>>bob>>>online" }],
      ]);
      client.resetAndDestroy();
      await closed(client);
      assert.deepEqual(count, { answer: { stat: { name, value: "1" } } });
      assert.ok(list !== undefined && "answer" in list);
      const { "127.0.0.1": lastSeen } = list.answer["ips"] as Readonly<Record<string, string>>;
      assert.ok(Math.abs(Number(lastSeen) - Date.now() / 1_000) < 60);
      assert.deepEqual(list.answer, { name, ips: { "127.0.0.1": lastSeen } });
      assert.deepEqual(names, { answer: { users: [name] } });
      assert.ok(users !== undefined && "answer" in users);
      const [user] = users.answer["users"] as readonly {
        readonly ips: readonly { readonly lastSeen: string }[];
      }[];
      assert.ok(Math.abs(Number(user?.ips[0]?.lastSeen) - Date.now() / 1_000) < 60);
      const ips = [{ ip: "127.0.0.1", lastSeen: user?.ips[0]?.lastSeen }];
      const traffic = { uplink: String(sent), downlink: String(received) };
      assert.deepEqual(users.answer, { users: [{ email: "alice", ips, traffic }] });
      assert.deepEqual(counters, answerOf({ [up]: 0n, [down]: 0n }));
      assert.deepEqual(unknown, { code: "NOT_FOUND", details: "user>>>bob>>>online not found." });
    });
  }

  it("reads the system's figures", io, async () => {
    const [outcome] = await call(cli().api, protos[0], [["GetSysStats", {}]]);
    assert.ok(outcome !== undefined && "answer" in outcome);
    const { NumGoroutine, Alloc, Sys } = outcome.answer;
    assert.ok(Number(NumGoroutine) > 0);
    assert.ok(Number(Alloc) > 1_000_000 && Number(Sys) > Number(Alloc), JSON.stringify(outcome));
  });

  it("reads the largest values there are to the byte", io, async (t) => {
    const api = await startApi(t);
    count(api.store, up, 2n ** 53n + 1n);
    count(api.store, down, 2n ** 63n - 1n);
    assert.deepEqual(await call(`127.0.0.1:${api.port}`, protos[0], [["QueryStats", {}]]), [
      answerOf({ [up]: 9_007_199_254_740_993n, [down]: 9_223_372_036_854_775_807n }),
    ]);
  });

  it("is told that nothing is implemented, where statistics are disabled", io, async (t) => {
    const disabled = await startCli(t, testConfig({ api: { stats: { enabled: false } } }));
    const methods = ["GetStats", "QueryStats", "GetSysStats"];
    const outcomes = await call(
      disabled.api,
      protos[0],
      methods.map((method) => [method, {}]),
    );
    assert.deepEqual(
      outcomes.map((outcome) => "code" in outcome && outcome.code),
      methods.map(() => "UNIMPLEMENTED"),
    );
  });
});
