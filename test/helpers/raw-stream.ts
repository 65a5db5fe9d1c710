import type { TestContext } from "node:test";
import {
  headerBlock,
  http2Frame,
  http2Preface,
  openRaw,
  type HttpRequest,
  type RawConnection,
} from "./raw-http.js";
import { turns } from "./timing.js";

/** A stream of HTTP/2, frame by frame: Node's own client ends a stream before it resets it. */
export interface RawStream {
  readonly connection: RawConnection;
  /** Resets it, and resolves when the other side has read that. */
  readonly reset: (code: number) => Promise<void>;
}

/** Opens a stream on a connection of its own, sends what there is of a body, and waits until that has been read. */
export async function openRawStream(
  t: TestContext,
  port: number,
  { path, headers = {}, body = "" }: HttpRequest,
): Promise<RawStream> {
  const fields = { ":method": "POST", ":path": path, ":scheme": "http", ":authority": "localhost" };
  const connection = await openRaw(t, port, http2Preface, http2Frame(4, 0, 0, Buffer.alloc(0)));
  connection.send(http2Frame(1, 4, 1, headerBlock({ ...fields, ...headers })));
  if (body.length > 0) connection.send(http2Frame(0, 0, 1, Buffer.from(body)));
  await pinged(connection, "sent....");
  return {
    connection,
    reset: async (code) => {
      connection.send(http2Frame(3, 0, 1, Buffer.from([0, 0, 0, code])));
      await pinged(connection, "reset...");
    },
  };
}

/** Whoever answers a ping has read what came before it. */
async function pinged(connection: RawConnection, payload: string): Promise<void> {
  connection.send(http2Frame(6, 0, 0, Buffer.from(payload)));
  await connection.received(payload);
  await turns(5);
}
