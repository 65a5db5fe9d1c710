import type { TestContext } from "node:test";
import type { User } from "../../src/proxy/users.js";
import { startTestApp, type TestApp } from "./test-app.js";
import { createTempDir } from "./temp-dir.js";
import { tlsFixture } from "./tls.js";
import { startTlsFront } from "./tls-front.js";

/** How one app can leave through another one. */
export const chainKinds = ["socks", "http", "http over TLS"] as const;
export type ChainKind = (typeof chainKinds)[number];

export interface ChainOptions {
  /** Who may use the first app. Default: anyone. */
  readonly users?: readonly User[];
  /** As whom the first app logs in to the second. Default: as nobody. */
  readonly login?: User;
}

/** Two apps, of which the first leaves through the second, and that to wherever it is asked for. */
export interface ChainedApps {
  readonly first: TestApp;
  readonly second: TestApp;
}

/** Starts both; they are cut after the test. */
export async function startChain(
  t: TestContext,
  kind: ChainKind,
  { users = [], login }: ChainOptions = {},
): Promise<ChainedApps> {
  const second = await startTestApp(t, { users: login === undefined ? [] : [login] });
  const isSecured = kind === "http over TLS";
  const server = isSecured ? (await startTlsFront(t, second.proxy)).endpoint : second.proxy;
  const first = await startTestApp(t, {
    users,
    outbound: {
      type: kind === "socks" ? "socks" : "http",
      ...{ server: server.host, server_port: server.port, ...login },
      ...(isSecured && { tls: { enabled: true, certificate_path: certificatePath(t) } }),
    },
  });
  return { first, second };
}

function certificatePath(t: TestContext): string {
  return createTempDir(t).write("ca.pem", tlsFixture.cert);
}
