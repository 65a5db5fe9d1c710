import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextValues,
  type ConnectRouter,
} from "@connectrpc/connect";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { silentLogger, type Logger } from "../log/logger.js";
import { isCall } from "./content-type.js";
import { dropEndlessDeadlines } from "./deadline.js";
import { deliveryKey, watchDelivery } from "./delivery.js";
import { withPlainGrpcMessage } from "./grpc-message.js";
import { fromGrpcWebText, toGrpcWebText } from "./grpc-web-text.js";
import { cheapGzip } from "./gzip.js";
import { pathOf, type NodeHandler, type NodeRequest, type NodeResponse } from "./node-http.js";
import { refuse } from "./refusal.js";

/** Largest request message, in bytes: room for hundreds of patterns. */
export const defaultMaxRequestBytes = 64 * 1024;

export interface CallHandlerOptions {
  readonly routes: (router: ConnectRouter) => void;
  /** Largest request message, in bytes, compressed or not. Default: 65,536. Larger ones are RESOURCE_EXHAUSTED. */
  readonly maxRequestBytes?: number;
  /** Default: silent. */
  readonly logger?: Logger;
}

/**
 * Serves the routes to gRPC, gRPC-Web and Connect clients over Node's HTTP/1.1 and HTTP/2 servers. Whatever else is asked
 * for is refused in the caller's own protocol: clients probe for methods and take only a proper UNIMPLEMENTED for a no.
 *
 * It stands in for connect-node's own adapter, which throws on a malformed Host, writes to the console, cuts a caller
 * off who is still sending when its request is refused, and takes endless deadlines for expired ones.
 */
export function createCallHandler({
  routes,
  maxRequestBytes = defaultMaxRequestBytes,
  logger = silentLogger,
}: CallHandlerOptions): NodeHandler {
  const router = createConnectRouter({ acceptCompression: [cheapGzip], readMaxBytes: maxRequestBytes });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const services = new Set(router.handlers.map(({ service }) => service.typeName));

  return (request, response) => {
    // A caller who hangs up is normal, and what the call itself makes of it is in its answer.
    request.on("error", (error) => {
      logger.debug("request failed", { error: error.message });
    });
    response.on("error", (error) => {
      logger.debug("answer failed", { error: error.message });
    });
    const path = pathOf(request);
    const handler = handlers.get(path);
    if (handler === undefined) {
      refuseUnknown(request, response, path, services);
      return;
    }
    call(handler, request, response).catch((error: unknown) => {
      const { code, rawMessage } = ConnectError.from(error);
      if (code !== Code.Aborted) logger.warn("call failed", { path, error: rawMessage });
      response.destroy();
    });
  };
}

async function call(handler: UniversalHandler, request: NodeRequest, response: NodeResponse): Promise<void> {
  const values = createContextValues().set(deliveryKey, watchDelivery(request, response));
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  dropEndlessDeadlines(universal.header);
  // Unlike the body that connect-node makes, this one does not take the connection down with it when it is not read to
  // its end, so that a caller who sends too much still gets an answer.
  const body: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
  const asked = { ...universal, body };
  const answer = toGrpcWebText(asked, await handler(fromGrpcWebText(asked)));
  await universalResponseToNodeResponse(withPlainGrpcMessage(answer), response);
}

function refuseUnknown(
  request: NodeRequest,
  response: NodeResponse,
  path: string,
  services: ReadonlySet<string>,
): void {
  const [service = "", method = ""] = path.slice(1).split("/");
  if (services.has(service)) {
    refuse(request, response, "unimplemented", `${service} has no method ${JSON.stringify(method)}`);
  } else if (isCall(request.headers["content-type"] ?? "")) {
    refuse(request, response, "unknownService", `unknown service ${JSON.stringify(service)}`);
  } else {
    refuse(request, response, "notFound", `nothing is served at ${JSON.stringify(path)}`);
  }
}
