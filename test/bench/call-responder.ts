import { createServer, type Server } from "node:net";
import { headerBlock, http2Frame } from "../helpers/raw-http.js";
import { ackFlag, endHeadersFlag, endStreamFlag, FrameReader, frameTypes } from "./frame-reader.js";

const headers = headerBlock({ ":status": "200", "content-type": "application/grpc" });
const trailers = headerBlock({ "grpc-status": "0" });
const body = Buffer.alloc(50);

/** A server that answers every call with the same bytes and does nothing else: what the load can do by itself. */
export function createCallResponder(): Server {
  return createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    let preface = 24;
    let out: Buffer[] = [http2Frame(frameTypes.settings, 0, 0, Buffer.alloc(0))];
    const reader = new FrameReader((type, flags, id) => {
      if (type === frameTypes.settings && (flags & ackFlag) === 0)
        out.push(http2Frame(type, ackFlag, 0, Buffer.alloc(0)));
      if (type !== frameTypes.data || (flags & endStreamFlag) === 0) return;
      out.push(
        http2Frame(frameTypes.headers, endHeadersFlag, id, headers),
        http2Frame(frameTypes.data, 0, id, body),
        http2Frame(frameTypes.headers, endHeadersFlag | endStreamFlag, id, trailers),
      );
    });
    socket.on("data", (chunk: Buffer) => {
      const skipped = Math.min(preface, chunk.length);
      preface -= skipped;
      reader.read(chunk.subarray(skipped));
      if (out.length > 0) socket.write(Buffer.concat(out));
      out = [];
    });
  });
}
