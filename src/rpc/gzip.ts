import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { compressionGzip } from "@connectrpc/connect-node";
import type { Compression } from "@connectrpc/connect/protocol";

const gzip = promisify(gzipCallback);

/**
 * Gzip at its cheapest level, the only compression we offer. Counter names compress well at any level, and a client that
 * merely lists brotli in Accept-Encoding must not cost us seconds of CPU.
 */
export const cheapGzip: Compression = {
  name: compressionGzip.name,
  compress: async (bytes) => new Uint8Array(await gzip(bytes, { level: 1 })),
  decompress: compressionGzip.decompress,
};
