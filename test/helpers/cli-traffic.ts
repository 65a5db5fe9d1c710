import assert from "node:assert/strict";
import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { connectTo } from "./cli.js";
import { askOver, type HttpOverOptions } from "./http-over.js";
import { askSocks5 } from "./socks5-client.js";

/**
 * Asks for a URL through the proxy of a command line, over SOCKS5: traffic to be counted.
 *
 * @param proxy - `127.0.0.1:PORT`
 * @param username - Which is the password as well.
 */
export async function askThrough(
  t: TestContext,
  proxy: string,
  username: string,
  url: string,
  options?: HttpOverOptions,
): Promise<void> {
  const socket = await tunnelThrough(t, proxy, username, url);
  assert.equal((await askOver(socket, url, options)).status, 200);
}

/** A connection of a user's to the origin of a URL, which is open until the test is over or somebody ends it. */
export async function tunnelThrough(
  t: TestContext,
  proxy: string,
  username: string,
  url: string,
): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connectTo(t, proxy);
  const destination = { host: hostname, port: Number(port) };
  const { reply } = await askSocks5(socket, destination, { username, password: username });
  assert.equal(reply, 0);
  return socket;
}
