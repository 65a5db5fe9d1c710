import { once } from "node:events";
import { constants, type ClientHttp2Stream } from "node:http2";
import type { TestContext } from "node:test";
import { openSession, openStream, type HttpRequest } from "./raw-http.js";

type Port = Parameters<typeof openSession>[1];

/** A way in which a caller can leave before it is answered. */
export interface HangUp {
  readonly how: string;
  /** Asks for something. @returns what has the caller leave. */
  readonly start: (t: TestContext, port: Port) => Promise<() => void>;
}

/** Those of HTTP/2, where a call can go without its connection. */
export function hangUpsOverHttp2(protocol: string, { body = "", ...head }: HttpRequest): readonly HangUp[] {
  const ask = async (session: ReturnType<typeof openSession>): Promise<ClientHttp2Stream> => {
    const stream = openStream(session, head);
    stream.on("error", () => undefined);
    stream.end(body);
    await once(stream, "ready");
    return stream;
  };
  return [
    {
      how: `cancels (${protocol} over HTTP/2)`,
      start: async (t, port) => {
        const stream = await ask(openSession(t, port));
        return () => {
          stream.close(constants.NGHTTP2_CANCEL);
        };
      },
    },
    {
      how: `destroys its connection (${protocol} over HTTP/2)`,
      start: async (t, port) => {
        const session = openSession(t, port);
        await ask(session);
        return () => {
          session.destroy();
        };
      },
    },
  ];
}
