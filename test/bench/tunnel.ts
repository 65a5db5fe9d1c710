import { connect, type Socket } from "node:net";
import type { Endpoint } from "../../src/net/endpoint.js";
import { login, type Way } from "./load-protocol.js";

/** What the client says in a SOCKS5 handshake, and how long the answer is that it waits for after each. */
function handshake(
  command: number,
  { host, port }: Endpoint,
): readonly (readonly [say: Buffer, answerBytes: number])[] {
  const [user, password] = [Buffer.from(login.username), Buffer.from(login.password)];
  const address = Buffer.from(host.split(".").map(Number));
  return [
    [Buffer.of(5, 1, 2), 2],
    [Buffer.concat([Buffer.of(1, user.length), user, Buffer.of(password.length), password]), 2],
    [Buffer.concat([Buffer.of(5, command, 0, 1), address, Buffer.of(port >> 8, port & 255)]), 10],
  ];
}

export interface TunnelOptions {
  /** Each piece that arrives behind the handshake, in a buffer that is used again. */
  readonly onBytes: (bytes: Buffer) => void;
  /** SOCKS5's command. Default: CONNECT. */
  readonly command?: number;
}

/** An open connection, and what the proxy answered to the request last. */
export interface Tunnel {
  readonly socket: Socket;
  readonly reply: Buffer;
}

/** Each connection that is read takes it in turn: what is read is looked at before the next read. */
const readBuffer = Buffer.alloc(1024 * 1024);

/** Opens a connection to the origin, as cheaply as Node can, so that the load is not what is measured. */
export async function openTunnel(
  { proxy, origin }: Way,
  { onBytes, command = 1 }: TunnelOptions,
): Promise<Tunnel> {
  const steps = proxy === undefined ? [] : handshake(command, origin);
  return new Promise((resolve, reject) => {
    let step = 0;
    let answer = Buffer.alloc(0);
    const sayNext = (): void => {
      const next = steps[step];
      if (next === undefined) resolve({ socket, reply: answer });
      else socket.write(next[0]);
    };
    const socket = connect({
      ...{ host: (proxy ?? origin).host, port: (proxy ?? origin).port, allowHalfOpen: true, noDelay: true },
      onread: {
        buffer: readBuffer,
        callback: (count, buffer) => {
          const bytes = Buffer.from(buffer.buffer, buffer.byteOffset, count);
          const waited = steps[step];
          if (waited === undefined) {
            onBytes(bytes);
            return true;
          }
          answer = Buffer.concat([answer, bytes]);
          if (answer.length < waited[1]) return true;
          if (answer[1] !== (step === 0 ? 2 : 0))
            reject(new Error(`the proxy said ${answer.toString("hex")}`));
          const rest = answer.subarray(waited[1]);
          step += 1;
          sayNext();
          answer = Buffer.alloc(0);
          if (rest.length > 0) onBytes(rest);
          return true;
        },
      },
    });
    socket.once("connect", sayNext);
    socket.once("error", reject);
    socket.once("close", () => {
      reject(new Error("closed before it was open"));
    });
  });
}
