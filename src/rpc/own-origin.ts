import { isIP } from "node:net";

/** What a request says about where it comes from and whom it means. */
export interface RequestOrigin {
  readonly scheme: "http" | "https";
  /** `Host` or `:authority`. */
  readonly authority: string | undefined;
  /** `Origin`, which browsers send and scripts cannot change. */
  readonly origin: string | undefined;
  /** Whether a page of another origin has its browser load it as a part of itself, which goes without an Origin. Default: false. */
  readonly isEmbedded?: boolean;
  /**
   * Whether the Host may be any: because the caller has a verified certificate or a secret, or is asked for one next.
   * Default: false.
   */
  readonly mayNameAnyHost?: boolean;
}

export interface OwnOriginOptions {
  /** The host in our `listen`, a name we therefore go by. On a Unix socket there is none. */
  readonly listenHost: string | undefined;
  /** Origins whose pages may call us, such as `https://panel.example`. Default: none. */
  readonly allowedOrigins?: readonly string[];
}

/** What a request is to us. */
export type OriginVerdict =
  /** Host and Origin are own, or there is no Origin. */
  | { readonly kind: "own" }
  /** A page of an allowed origin. */
  | { readonly kind: "allowed"; readonly origin: string }
  /** One that must not be served, and what of it is foreign. */
  | { readonly kind: "foreign"; readonly what: "host" | "origin"; readonly reason: string }
  | { readonly kind: "malformed"; readonly reason: string };

/**
 * Builds the judge of requests' origins, which keeps web pages out of a port that has no other guard.
 *
 * - A page can make a browser send requests to our port, but not without its Origin, unless it is for something to embed. It
 *   cannot read that then, nor change anything with it, but could keep us busy.
 * - A page can have its own name lead to our address (DNS rebinding) and so make itself same-origin, but the Host then is
 *   that name. So a Host is own only if it needs no DNS: an IP address, `localhost`, or the name in `listen`.
 */
export function createOriginJudge({
  listenHost,
  allowedOrigins = [],
}: OwnOriginOptions): (request: RequestOrigin) => OriginVerdict {
  const allowed = new Set(allowedOrigins);
  const ownNames = new Set(["localhost", listenHost?.toLowerCase()]);
  return ({ scheme, authority, origin, isEmbedded = false, mayNameAnyHost = false }) => {
    const host = parseAuthority(scheme, authority);
    if (host === undefined) {
      return { kind: "malformed", reason: `malformed host ${JSON.stringify(authority ?? "")}` };
    }
    const isOwnName = ownNames.has(host.hostname) || isIP(withoutBrackets(host.hostname)) !== 0;
    if (!isOwnName && !mayNameAnyHost) {
      return {
        kind: "foreign",
        what: "host",
        reason: `host ${JSON.stringify(authority)} is not served here: use an IP address, localhost or the name in "listen"`,
      };
    }
    if (origin === undefined && isEmbedded) {
      const reason = "a page of another origin wants this as a part of itself";
      return { kind: "foreign", what: "origin", reason };
    }
    if (origin === undefined || origin === host.origin) return { kind: "own" };
    if (allowed.has(origin)) return { kind: "allowed", origin };
    return {
      kind: "foreign",
      what: "origin",
      reason: `origin ${JSON.stringify(origin)} is not in "access_control_allow_origin"`,
    };
  };
}

function parseAuthority(scheme: string, authority: string | undefined): URL | undefined {
  // The characters that would make the URL parser see more than a host and a port.
  if (authority === undefined || !/^[^\s/?#@\\]+$/.test(authority)) return undefined;
  const text = `${scheme}://${authority}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
