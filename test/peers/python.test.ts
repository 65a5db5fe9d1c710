import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { needs } from "../helpers/outside-client.js";
import { runProgram } from "../helpers/program.js";
import { startTestApp, type TestApp } from "../helpers/test-app.js";
import { closeAfter } from "../helpers/sockets.js";
import { failOnUnhandled } from "../helpers/unhandled.js";

const io = { timeout: 120_000 };

/**
 * Both ends of connections through a proxy, without Node's streams: one end sends and resets right behind it (SO_LINGER
 * 0), the other one reads and notes how that ended. The lengths are small enough to fit into the kernel's buffers.
 */
const script = `
import json, socket, struct, sys

port, protocol = int(sys.argv[1]), sys.argv[2]

def read_exactly(s, length):
    data = b""
    while len(data) < length:
        piece = s.recv(length - len(data))
        assert piece, "ended early"
        data += piece
    return data

def open_tunnel(target):
    s = socket.create_connection(("127.0.0.1", port), timeout=30)
    address = socket.inet_aton("127.0.0.1")
    if protocol == "socks4":
        s.sendall(struct.pack(">BBH", 4, 1, target) + address + b"\\0")
        assert read_exactly(s, 8)[1] == 90
    elif protocol == "socks5":
        s.sendall(b"\\5\\1\\0" + b"\\5\\1\\0\\1" + address + struct.pack(">H", target))
        assert read_exactly(s, 2) == b"\\5\\0"
        assert read_exactly(s, 10)[1] == 0
    else:
        s.sendall(b"CONNECT 127.0.0.1:%d HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n" % target)
        head = b""
        while not head.endswith(b"\\r\\n\\r\\n"):
            head += read_exactly(s, 1)
        assert head.startswith(b"HTTP/1.1 200 ")
    return s

def reset(s):
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()

def read_to_end(s):
    received = 0
    try:
        while True:
            data = s.recv(65536)
            if not data:
                return received, "end"
            received += len(data)
    except ConnectionResetError:
        return received, "reset"

listener = socket.create_server(("127.0.0.1", 0))
target = listener.getsockname()[1]
results = []
for sent in [0, 1, 1000, 100000]:
    for by in ["client", "destination"]:
        for how in ["reset", "end"]:
            for attempt in range(10):
                client = open_tunnel(target)
                destination, _ = listener.accept()
                destination.settimeout(30)
                sender, reader = (client, destination) if by == "client" else (destination, client)
                if attempt % 2 == 0:
                    # The other direction ends first, as behind a request that is all there is to say.
                    reader.shutdown(socket.SHUT_WR)
                    assert sender.recv(1) == b""
                sender.sendall(b"x" * sent)
                if how == "reset":
                    reset(sender)
                else:
                    sender.shutdown(socket.SHUT_WR)
                received, ending = read_to_end(reader)
                results.append(dict(by=by, how=how, sent=sent, received=received, ending=ending))
                reader.close()
                sender.close()
print(json.dumps(results))
`;

/** One transfer, as the script saw it. */
interface Transfer {
  readonly by: "client" | "destination";
  readonly how: "reset" | "end";
  readonly sent: number;
  readonly received: number;
  readonly ending: "reset" | "end";
}

async function runScript({ proxy }: TestApp, protocol: string): Promise<readonly Transfer[]> {
  const { code, stdout, stderr } = await runProgram("python3", ["-c", script, String(proxy.port), protocol]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as readonly Transfer[];
}

function sum(transfers: readonly Transfer[], key: "sent" | "received", by: Transfer["by"]): bigint {
  return transfers
    .filter((transfer) => transfer.by === by)
    .reduce((bytes, { [key]: more }) => bytes + BigInt(more), 0n);
}

describe("python's sockets", needs("python3"), () => {
  failOnUnhandled();

  for (const protocol of ["socks4", "socks5", "http"]) {
    it(`never see a clean end where the other one reset, through ${protocol}`, io, async (t) => {
      closeAfter(t);
      const app = await startTestApp(t);
      const transfers = await runScript(app, protocol);
      await app.app.stop(new AbortController().signal);
      const resets = transfers.filter(({ how }) => how === "reset");
      assert.equal(resets.length, 80);
      assert.deepEqual(
        resets.filter(({ ending }) => ending !== "reset"),
        [],
      );
      const ended = transfers.filter(({ how }) => how === "end");
      assert.deepEqual(
        ended.filter(({ sent, received, ending }) => ending !== "end" || received !== sent),
        [],
      );
      for (const [by, direction] of [
        ["client", "uplink"],
        ["destination", "downlink"],
      ] as const) {
        const { total } = app.app.store.counter({ scope: "inbound", tag: "in", direction });
        const outbound = app.app.store.counter({ scope: "outbound", tag: "out", direction });
        assert.equal(outbound.total, total);
        assert.ok(total <= sum(transfers, "sent", by), `${total}`);
        // Of a connection that was cut the write in flight is not counted.
        assert.ok(total >= sum(ended, "received", by), `${total}`);
      }
    });
  }
});
