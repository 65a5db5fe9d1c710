import { promisify } from "node:util";
import { gzip as gzipCallback } from "node:zlib";
import { Code, ConnectError } from "@connectrpc/connect";
import { compressionGzip } from "@connectrpc/connect-node";
import type { Compression } from "@connectrpc/connect/protocol";

const gzip = promisify(gzipCallback);

/**
 * Gzip at its cheapest level, the only compression we offer. Counter names compress well at any level, and a client that
 * merely lists brotli in Accept-Encoding must not cost us seconds of CPU. Inflating ends at the largest message there may
 * be, however much more a few bytes of it stand for.
 *
 * @param onLarge - Told of each message that comes to more. Default: nobody is told.
 */
export function createCheapGzip(onLarge: () => void = () => undefined): Compression {
  return {
    name: compressionGzip.name,
    compress: async (bytes) => new Uint8Array(await gzip(bytes, { level: 1 })),
    decompress: async (bytes, readMaxBytes) => {
      try {
        return await compressionGzip.decompress(bytes, readMaxBytes);
      } catch (error) {
        if (error instanceof ConnectError && error.code === Code.ResourceExhausted) onLarge();
        throw error;
      }
    },
  };
}
