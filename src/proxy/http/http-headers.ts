/** Headers between one hop and the next, whether `Connection` names them or not (RFC 9110 §7.6.1). */
const hopByHopHeaders: readonly string[] = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** Headers with which a message is framed: who passes it on frames it anew. */
const framingHeaders: readonly string[] = ["content-length", "transfer-encoding"];

/**
 * The headers that a proxy passes on, in their order and spelling: all but those of this hop, those that `Connection`
 * names, and those that frame the message.
 *
 * @param rawHeaders - Names and values alternately, as of `IncomingMessage`.
 * @param dropped - More names to leave out, in lower case.
 */
export function endToEndHeaders(rawHeaders: readonly string[], dropped: readonly string[] = []): string[] {
  const pairs = toPairs(rawHeaders);
  const left = new Set([...hopByHopHeaders, ...framingHeaders, ...dropped, ...namedByConnection(pairs)]);
  return pairs.filter(([name]) => !left.has(name.toLowerCase())).flat();
}

/** How often a header stands in a message. */
export function countHeader(rawHeaders: readonly string[], wanted: string): number {
  return toPairs(rawHeaders).filter(([name]) => name.toLowerCase() === wanted).length;
}

type HeaderPair = readonly [name: string, value: string];

function toPairs(rawHeaders: readonly string[]): readonly HeaderPair[] {
  const pairs: HeaderPair[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    pairs.push([rawHeaders[index] ?? "", rawHeaders[index + 1] ?? ""]);
  }
  return pairs;
}

function namedByConnection(pairs: readonly HeaderPair[]): readonly string[] {
  return pairs
    .filter(([name]) => /^(proxy-)?connection$/i.test(name))
    .flatMap(([, value]) => value.split(","))
    .map((name) => name.trim().toLowerCase());
}
