import { after, before } from "node:test";
import { TlsServer } from "../../src/net/tls-server.js";
import { fixtureTls } from "../helpers/tls-port.js";
import { describeDelivery } from "./delivery-suite.js";

const tls = new TlsServer(fixtureTls, { protocols: ["h2", "http/1.1"], handshakeTimeoutMs: 10_000 });

before(async () => tls.start());
after(() => {
  tls.stop();
});

describeDelivery({
  under: " under TLS",
  secure: async (socket) => tls.secure(socket),
  toPort: (tlsPort) => ({ tlsPort }),
  apiOptions: { tls: fixtureTls },
  roundCount: 10,
  // What carries an answer does not know its protocol: one is enough for each version of HTTP and each way to serve it.
  protocols: ["Connect", "gRPC"],
});
