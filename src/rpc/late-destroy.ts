import type { Http2Session, ServerHttp2Session } from "node:http2";

/** Sessions that are to be destroyed. */
const ending = new WeakSet<Http2Session>();

/**
 * Keeps a client from aborting the process: Node destroys the session of a client that says GOAWAY while what was read with it
 * is still being handed over, and in Node 20 and 22 data of a request behind it then finds nobody ("Assertion failed:
 * onread->IsFunction()"). So a session is destroyed only when all of that is over, whoever destroys it.
 */
export function destroyLate(session: ServerHttp2Session): void {
  const destroy = session.destroy.bind(session);
  session.destroy = (error?: Error, code?: number) => {
    ending.add(session);
    setImmediate(() => {
      destroy(error, code);
    });
  };
}

/** Whether a session is over, or about to be: what still comes of it is nobody's business. */
export function isEnding(session: Http2Session | undefined): boolean {
  return session === undefined || session.destroyed || ending.has(session);
}
