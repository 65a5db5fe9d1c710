import type { IncomingMessage } from "node:http";
import { countHeader } from "./http-headers.js";
import type { HttpRefusal } from "./http-refusal.js";

/**
 * Finds what is wrong with the head of a request that Node's parser let through, and that two servers could understand
 * in two ways (request smuggling). The parser itself refuses two lengths, a length beside `Transfer-Encoding`, bare CR
 * and LF, and folded headers. Such a request is the last of its connection.
 */
export function requestFaultOf(request: IncomingMessage): HttpRefusal | undefined {
  const { httpVersion, headers, rawHeaders } = request;
  const versionFault = versionFaultOf(request);
  if (versionFault !== undefined) return versionFault;
  const hostCount = countHeader(rawHeaders, "host");
  if (hostCount > 1) return bad("more than one header Host");
  if (httpVersion !== "1.0" && hostCount === 0) return bad("no header Host");
  const coding = headers["transfer-encoding"];
  if (coding === undefined) return undefined;
  // RFC 9112 §6.1: faulty framing, even if the coding is understood.
  if (httpVersion === "1.0") return bad("Transfer-Encoding in a request of HTTP/1.0");
  if (coding.toLowerCase() === "chunked") return undefined;
  return {
    status: 501,
    reason: `transfer coding ${JSON.stringify(coding)}, of which only chunked is supported`,
  };
}

/** Node takes a request line without a version for HTTP/0.9, and other versions as they come. */
export function versionFaultOf({ httpVersion }: IncomingMessage): HttpRefusal | undefined {
  return httpVersion === "1.0" || httpVersion === "1.1" ? undefined : bad(`HTTP version ${httpVersion}`);
}

function bad(reason: string): HttpRefusal {
  return { status: 400, reason };
}
