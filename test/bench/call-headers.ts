/*
 * The head of a call, as a client writes it that keeps to RFC 7541: in full for the first one of a connection, and from then
 * on as a byte for each field, which is in the table by then.
 */

/** Of the static table: `:method: POST`, `:scheme: http`. */
const postMethod = 0x83;
const httpScheme = 0x86;
/** The names of the static table that are used here. */
const staticNames = { ":authority": 1, ":path": 4, "content-type": 31, "user-agent": 58 } as const;
/** Where the table that a connection builds begins. */
const firstDynamic = 62;

/** The header blocks of a connection's first call, and of each after it. */
export interface CallHeaders {
  readonly first: Buffer;
  readonly next: Buffer;
}

export function encodeCallHeaders(authority: string, path: string): CallHeaders {
  const fields = [
    [":authority", authority],
    [":path", path],
    ["content-type", "application/grpc"],
    ["user-agent", "bench"],
    ["te", "trailers"],
  ] as const;
  const literals = fields.map(([name, value]) =>
    Buffer.concat([
      name === "te" ? Buffer.concat([Buffer.of(0x40), toText(name)]) : Buffer.of(0x40 | staticNames[name]),
      toText(value),
    ]),
  );
  // What was added last is the first of the table.
  const indexed = fields.map((_, index) => 0x80 | (firstDynamic + fields.length - 1 - index));
  return {
    first: Buffer.concat([Buffer.of(postMethod, httpScheme), ...literals]),
    next: Buffer.of(postMethod, httpScheme, ...indexed),
  };
}

function toText(text: string): Buffer {
  // A length beyond that takes more than a byte.
  if (text.length > 126) throw new RangeError(`${text.length} characters are too many for a header here`);
  return Buffer.concat([Buffer.of(text.length), Buffer.from(text)]);
}
