import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Decodes a body in base64 as it comes, of any number of texts one after another, each padded for itself: clients encode
 * every frame, or every chunk, by itself.
 *
 * @throws ConnectError INVALID_ARGUMENT for what is no base64 of RFC 4648 §4, or ends in the middle of four characters.
 */
export async function* decodeBase64(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  // Of four characters that stand for bytes together, those that have come.
  let rest = "";
  for await (const chunk of chunks) {
    const text = rest + Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("latin1");
    const length = text.length - (text.length % 4);
    rest = text.slice(length);
    if (length > 0) yield decodeTexts(text.slice(0, length));
  }
  if (rest !== "") throw new ConnectError("the body ends in the middle of its base64", Code.InvalidArgument);
}

/** Encodes each chunk of a body by itself, so that none waits for the next one. */
export async function* encodeBase64(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    const base64 = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("base64");
    yield Buffer.from(base64, "latin1");
  }
}

/** Whole texts: a padded one ends where its padding does. */
function decodeTexts(texts: string): Buffer {
  return Buffer.concat(texts.split(/(?<==)(?!=)/).map(decodeText));
}

/** Node's decoder skips what it does not know, and takes other alphabets, too. */
function decodeText(text: string): Buffer {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new ConnectError("the body is no base64", Code.InvalidArgument);
  }
  return Buffer.from(text, "base64");
}
