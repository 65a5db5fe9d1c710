import type { IncomingHttpHeaders } from "node:http";
import { Code, ConnectError, type ContextValues } from "@connectrpc/connect";
import { compressionNegotiate, type Compression } from "@connectrpc/connect/protocol";
import type { CallTally } from "../call-tally.js";
import type { CallContext } from "../call-context.js";
import type { HotAnswer, HotMethod, Pieces } from "./hot-method.js";
import { hotProtocolOf, toCallError, type HotProtocol, type Reply } from "./hot-protocols.js";

/** A call as its headers describe it. */
export interface HotCall {
  readonly protocol: HotProtocol;
  /** Whether a body holds a message of the method's. */
  readonly isReadable: (body: Uint8Array) => boolean;
  /**
   * Answers it.
   *
   * @returns the answer; `undefined` if the body is not what was to be expected: then nothing was done.
   */
  readonly answer: (body: Uint8Array, caller: HotCaller) => Promise<Reply> | undefined;
}

/** What is known of a request before its body. */
export interface RequestHead {
  /** The method of HTTP. */
  readonly verb: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** The call that a request is, if it is one that is served so. */
export type FindHotCall = (head: RequestHead) => HotCall | undefined;

/** Who waits for an answer. */
export interface HotCaller {
  /** What is known of the call. */
  readonly values: ContextValues;
  /** Whether it is in vain to go on. */
  readonly isGone: () => boolean;
}

export interface HotCallsOptions {
  readonly methods: readonly HotMethod[];
  /** Largest request message, in bytes. */
  readonly maxRequestBytes: number;
  /** What answers may be compressed with. */
  readonly compression: Compression;
  /** Counts the calls of the method with a path. */
  readonly tallyOf: (path: string) => CallTally | undefined;
}

/**
 * Finds the calls that are served without the Connect router, which takes ten times as long over them: calls of the hot
 * methods that are not compressed, in any of the protocols. Whatever is unusual about a call, or wrong, is
 * the router's to answer.
 */
export function createHotCalls({
  methods,
  maxRequestBytes,
  compression: offered,
  tallyOf,
}: HotCallsOptions): FindHotCall {
  const compressionFor = createNegotiator(offered);
  const byPath = new Map(methods.map((method) => [method.path, method]));
  return ({ verb, path, headers }) => {
    const method = byPath.get(path ?? "");
    const protocol = hotProtocolOf(headers["content-type"]);
    if (verb !== "POST" || method === undefined || protocol === undefined) return undefined;
    const encoding = headers[protocol.encodingHeader];
    if (encoding !== undefined && encoding !== "identity") return undefined;
    const timeoutText = textOf(headers[protocol.timeoutHeader]);
    const timeout = timeoutText === null ? {} : protocol.parseTimeout(timeoutText);
    const promised = protocol.isEnveloped ? null : textOf(headers["content-length"]);
    // Who promises too much is told so before it comes.
    if (promised !== null && Number(promised) > maxRequestBytes) return undefined;
    const tally = tallyOf(method.path);
    if (timeout.error !== undefined || tally === undefined) return undefined;
    const endsAt = timeout.timeoutMs === undefined ? Infinity : performance.now() + timeout.timeoutMs;
    const compression = compressionFor(protocol, textOf(headers[protocol.acceptHeader]));
    let known: { readonly body: Uint8Array; readonly answer: HotAnswer | undefined } | undefined;
    const read = (body: Uint8Array): HotAnswer | undefined => {
      if (known?.body !== body) {
        const request = protocol.unwrap(body);
        known = { body, answer: request && readOf(method, request, protocol) };
      }
      return known.answer;
    };
    return {
      protocol,
      isReadable: (body) => read(body) !== undefined,
      answer: (body, { values, isGone }): Promise<Reply> | undefined => {
        if (promised !== null && promised !== `${body.length}`) return undefined;
        const answer = read(body);
        if (answer === undefined) return undefined;
        const throwIfAborted = (): void => {
          if (isGone()) throw new ConnectError("the caller is gone", Code.Canceled);
          if (performance.now() >= endsAt)
            throw new ConnectError("the operation timed out", Code.DeadlineExceeded);
        };
        return reply({ answer, protocol, compression, tally }, { values, signal: { throwIfAborted } });
      },
    };
  };
}

interface Work {
  readonly answer: HotAnswer;
  readonly protocol: HotProtocol;
  readonly compression: Compression | undefined;
  readonly tally: CallTally;
}

async function reply({ answer, protocol, compression, tally }: Work, context: CallContext): Promise<Reply> {
  let message: Pieces;
  try {
    message = await answer(context);
    tally.addOk();
  } catch (thrown) {
    tally.addError(thrown);
    return protocol.fail(toCallError(thrown), compression);
  }
  return protocol.succeed(message, compression);
}

/** A malformed request is the router's to answer. */
function readOf(method: HotMethod, request: Uint8Array, { isBinary }: HotProtocol): HotAnswer | undefined {
  try {
    return method.read(request, isBinary);
  } catch {
    return undefined;
  }
}

const maxKnownCompressions = 64;

/** Finds what an answer is compressed with: what the caller takes and we have. Most callers say the same. */
function createNegotiator(
  offered: Compression,
): (protocol: HotProtocol, accepted: string | null) => Compression | undefined {
  const known = new Map<string, Compression | undefined>();
  return ({ acceptHeader }, accepted) => {
    if (accepted === null) return undefined;
    if (known.has(accepted)) return known.get(accepted);
    const { response } = compressionNegotiate([offered], null, accepted, acceptHeader);
    if (known.size < maxKnownCompressions) known.set(accepted, response ?? undefined);
    return response ?? undefined;
  };
}

function textOf(header: string | string[] | undefined): string | null {
  if (header === undefined) return null;
  return typeof header === "string" ? header : header.join(", ");
}
