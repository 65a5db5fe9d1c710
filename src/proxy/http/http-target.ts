import { isIP } from "node:net";
import { domainToASCII } from "node:url";
import { formatEndpoint, maxPort, parseEndpoint, type Endpoint } from "../../net/endpoint.js";
import { isPlausibleHost } from "../plausible-host.js";

/** Where a plain HTTP request goes, and what its origin is asked. */
export interface HttpTarget {
  readonly origin: Endpoint;
  /** The value of the header `Host`: the host and port as the client wrote them. */
  readonly host: string;
  /** In origin-form, or `*` (RFC 9112 §3.2). */
  readonly path: string;
}

/** A target that was read, or what is wrong with it. */
export type ParsedTarget<T> =
  | { readonly target: T; readonly reason?: undefined }
  | { readonly target?: undefined; readonly reason: string };

/** Reads the target of a CONNECT request, host and port (RFC 9110 §9.3.6). */
export function parseConnectTarget(text: string): ParsedTarget<Endpoint> {
  const target = parseEndpoint(text);
  if (target === undefined || target.port === 0 || !isPlausibleHost(target.host)) {
    return bad(`CONNECT target ${shown(text)} is not HOST:PORT with a port from 1 to ${maxPort}`);
  }
  return { target };
}

/**
 * Writes the target of a CONNECT request, a name in ASCII (RFC 5891).
 *
 * @returns `undefined` if the host is none that a URL could have.
 */
export function formatConnectTarget({ host, port }: Endpoint): string | undefined {
  if (isIP(host) !== 0) return formatEndpoint({ host, port });
  const name = isInternational(host) ? domainToASCII(host) : host;
  // Digits of other scripts make numbers, too.
  const isName = hostName.test(name) && !name.includes(":") && isIP(name) === 0;
  return isName ? `${name}:${port}` : undefined;
}

/**
 * Reads the target of any other request to a proxy, an absolute URL (RFC 9112 §3.2.2). It is taken as it stands and not
 * normalised: what the path means is the origin's to say.
 */
export function parseAbsoluteTarget(text: string, method: string): ParsedTarget<HttpTarget> {
  const { scheme, authority, path, query } = absoluteForm.exec(text)?.groups ?? {};
  if (scheme === undefined || authority === undefined) {
    return bad(`request target ${shown(text)} is no absolute URL, which a proxy needs: http://HOST[:PORT]/…`);
  }
  if (scheme.toLowerCase() !== "http") {
    return bad(`request target ${shown(text)} is not of the scheme http; other schemes need CONNECT`);
  }
  if (authority.includes("@"))
    return bad(`request target ${shown(text)} has user info, which is not allowed`);
  const host = authority.replace(/:$/, "");
  const origin = parseEndpoint(/^(\[[^\]]*\]|[^:]*):\d+$/.test(host) ? host : `${host}:80`);
  if (origin === undefined || origin.port === 0 || !hostName.test(origin.host)) {
    return bad(`request target ${shown(text)} has no valid HOST[:PORT] with a port from 1 to ${maxPort}`);
  }
  // `OPTIONS http://host` asks about the server as a whole (RFC 9112 §3.2.4).
  const wholeServer = method === "OPTIONS" && path === undefined && query === undefined;
  const target = { origin, host, path: wholeServer ? "*" : `${path ?? "/"}${query ?? ""}` };
  return { target };
}

/** A fragment has no place in a request, nor have blanks and controls. */
const absoluteForm =
  /^(?<scheme>[a-z][a-z\d+.-]*):\/\/(?<authority>[^/?#]*)(?<path>\/[^?#\0-\x20\x7f]*)?(?<query>\?[^#\0-\x20\x7f]*)?$/i;

/** What RFC 3986 §3.2.2 allows in a name or address, so that nothing else gets into a header. */
const hostName = /^[\w.~!$&'()*+,;=%:-]+$/;

/** Whether a name has to be translated, which reads it as a URL does and so must not meet what ends a host there. */
function isInternational(host: string): boolean {
  return /^[\w.~!$&'()*+,;=\u0080-\u{10ffff}-]+$/u.test(host) && /[^\0-\x7f]/.test(host);
}

const shownCharacters = 100;

function bad(reason: string): { readonly reason: string } {
  return { reason };
}

/** The reason goes to the log, and user info may hold a password. */
function shown(target: string): string {
  const text = target.replace(/^([^/]*\/\/)?.*@/s, "$1…@");
  return JSON.stringify(text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text);
}
