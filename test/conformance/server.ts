// The server that the conformance runner starts: the ConformanceService behind everything that stands before the
// StatsService. It is asked for on stdin, tells its port on stdout, and ends at SIGTERM.
import { create, createRegistry, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ServerCompatRequestSchema,
  ServerCompatResponseSchema,
} from "#conformance/connectrpc/conformance/v1/server_compat_pb.js";
import {
  ConformanceService,
  file_connectrpc_conformance_v1_service,
} from "#conformance/connectrpc/conformance/v1/service_pb.js";
import { createCallHandler } from "../../src/rpc/call-handler.js";
import { guard } from "../../src/rpc/guard.js";
import { OnePortServer } from "../../src/rpc/one-port-server.js";
import { conformanceService } from "./conformance-service.js";
import { delimited, readDelimited } from "./delimited.js";

const listenHost = "127.0.0.1";

const { useTls, messageReceiveLimit } = fromBinary(
  ServerCompatRequestSchema,
  await readDelimited(process.stdin),
);
if (useTls) throw new Error("the API is served in cleartext only: config.yaml must say so");

/** A limit of 0 is none. */
const maxRequestBytes = messageReceiveLimit === 0 ? 0xffff_ffff : messageReceiveLimit;
// In JSON, a google.protobuf.Any shows what is in it.
const jsonOptions = { registry: createRegistry(file_connectrpc_conformance_v1_service) };
const calls = createCallHandler({
  routes: (router) => {
    router.service(ConformanceService, conformanceService, { jsonOptions });
  },
  limits: { maxRequestBytes },
});
const server = new OnePortServer({
  onRequest: guard(calls.onRequest, { listenHost }),
  limits: { maxRequestBytes },
});
const { host, port } = await server.listen({ host: listenHost, port: 0 });
process.once("SIGTERM", () => void server[Symbol.asyncDispose]());
const response = create(ServerCompatResponseSchema, { host, port });
process.stdout.write(delimited(toBinary(ServerCompatResponseSchema, response)));
