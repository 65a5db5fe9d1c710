import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { TestContext } from "node:test";
import type { Endpoint } from "../../src/net/endpoint.js";
import { readBytes } from "./bytes.js";
import type { Moved } from "./test-app.js";
import { addressOf, closeAfter, listen } from "./sockets.js";

/** A DNS server (RFC 1035) over UDP and TCP, under one port number, that counts all bytes of its payload. */
export interface DnsServer {
  readonly endpoint: Endpoint;
  /** How often it was asked. */
  readonly askedCount: number;
  /** Over UDP the messages, over TCP these and their lengths. */
  readonly moved: Moved;
}

/** Starts a server that knows one address, and gives it for every name. It is closed after the test. */
export async function startDnsServer(t: TestContext, address: string): Promise<DnsServer> {
  let [askedCount, up, down] = [0, 0, 0];
  const count = (query: Buffer, answer: Buffer): void => {
    askedCount += 1;
    up += query.length;
    down += answer.length;
  };
  const tcp = createServer((socket) => {
    closeAfter(t, socket);
    void (async () => {
      const length = await readBytes(socket, 2);
      const query = Buffer.concat([length, await readBytes(socket, length.readUInt16BE())]);
      const answer = answerTo(query.subarray(2), address);
      const framed = Buffer.concat([Buffer.of(answer.length >> 8, answer.length & 0xff), answer]);
      count(query, framed);
      socket.end(framed);
    })();
  });
  await listen(t, tcp);
  const { port } = addressOf(tcp);
  const udp = createSocket("udp4");
  closeAfter(t, {
    [Symbol.asyncDispose]: async () => {
      udp.close();
      await once(udp, "close");
    },
  });
  udp.on("message", (query, client) => {
    const answer = answerTo(query, address);
    count(query, answer);
    udp.send(answer, client.port, client.address);
  });
  udp.bind({ address: "127.0.0.1", port, exclusive: true });
  await once(udp, "listening");
  return {
    endpoint: { host: "127.0.0.1", port },
    get askedCount() {
      return askedCount;
    },
    get moved() {
      return { up, down };
    },
  };
}

const headBytes = 12;

/** A response that repeats the question, and has one address record. */
function answerTo(query: Buffer, address: string): Buffer {
  const nameEnd = query.indexOf(0, headBytes) + 1;
  const question = query.subarray(headBytes, nameEnd + 4);
  const id = query.subarray(0, 2);
  // A response, recursion desired and available; one question, one answer, nothing else.
  const head = Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  // The name of the question, type A, class IN, a minute, four bytes.
  const record = Buffer.from([0xc0, headBytes, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
  return Buffer.concat([id, head, question, record, Buffer.from(address.split(".").map(Number))]);
}
