import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import fsPromises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { connect, createServer, type Server } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { maxSocketFolderBytes } from "../../src/net/listen-address.js";
import { listenOnSocketFile, type SocketFile } from "../../src/net/socket-file.js";
import { closeAfter } from "../helpers/sockets.js";
import { createTempDir, type TempDir } from "../helpers/temp-dir.js";
import { turns } from "../helpers/timing.js";

const io = { timeout: 10_000 };

/** A server that says its name to whoever connects. */
function namedServer(t: TestContext, name: string): Server {
  const server = createServer((socket) => socket.on("error", () => undefined).end(name));
  closeAfter(t, server);
  return server;
}

async function listenAt(t: TestContext, path: string, name = "first"): Promise<SocketFile> {
  return listenOnSocketFile(namedServer(t, name), path);
}

/** What the server there says. */
async function ask(t: TestContext, path: string): Promise<string> {
  const client = connect({ path });
  closeAfter(t, client);
  const [data] = (await once(client, "data")) as [Buffer];
  return data.toString();
}

/** A socket that a process has left behind which was killed. */
function leaveSocket(path: string): void {
  const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  const { signal } = spawnSync(process.execPath, ["-e", script, path]);
  assert.equal(signal, "SIGKILL");
  assert.ok(lstatSync(path).isSocket());
}

/** Has something happen right after a path was looked at that often. */
function onLook(t: TestContext, path: string, count: number, happen: () => void): void {
  const look = fsPromises.lstat.bind(fsPromises);
  let left = count;
  const mocked = t.mock.method(fsPromises, "lstat", async (looked: string) => {
    const found = await look(looked);
    if (looked === path && --left === 0) happen();
    return found;
  });
  syncBuiltinESMExports();
  t.after(() => {
    mocked.mock.restore();
    syncBuiltinESMExports();
    assert.ok(left <= 0, "it was not looked at as often");
  });
}

const modeOf = (path: string): number => lstatSync(path).mode & 0o777;
const namesIn = (folder: TempDir): string[] => readdirSync(folder.path).sort();

describe("listenOnSocketFile", io, () => {
  it("makes a socket that nobody but its user can open, and nothing beside it", async (t) => {
    const folder = createTempDir(t);
    const path = folder.join("a.sock");
    const file = await listenAt(t, path);
    assert.ok(lstatSync(path).isSocket());
    assert.equal(modeOf(path), 0o600);
    assert.deepEqual(namesIn(folder), ["a.sock"]);
    assert.equal(await ask(t, path), "first");
    await file.remove();
    assert.deepEqual(namesIn(folder), []);
    await file.remove();
  });

  it("has it so from its first moment, whatever the umask", async (t) => {
    const folder = createTempDir(t);
    const path = folder.join("a.sock");
    const umask = process.umask(0);
    t.after(() => process.umask(umask));
    const server = namedServer(t, "first");
    server.once("listening", () => {
      // It listens already where nobody else can come.
      assert.ok(!existsSync(path));
      assert.deepEqual(
        namesIn(folder).map((name) => modeOf(folder.join(name))),
        [0o700],
      );
    });
    const modes = new Set<number>();
    const listening = listenOnSocketFile(server, path);
    while (!existsSync(path)) await turns(1);
    modes.add(modeOf(path));
    await listening;
    modes.add(modeOf(path));
    assert.deepEqual([...modes], [0o600]);
  });

  it("replaces a socket that nobody answers on", async (t) => {
    const path = createTempDir(t).join("a.sock");
    leaveSocket(path);
    chmodSync(path, 0o777);
    const { ino } = lstatSync(path);
    await listenAt(t, path);
    assert.notEqual(lstatSync(path).ino, ino);
    assert.equal(modeOf(path), 0o600);
    assert.equal(await ask(t, path), "first");
  });

  it("replaces one in a folder with the longest path that there may be", async (t) => {
    const parent = createTempDir(t);
    const folder = parent.join("f".repeat(maxSocketFolderBytes - `${parent.path}/`.length));
    mkdirSync(folder);
    const path = `${folder}/a.sock`;
    leaveSocket(path);
    await listenAt(t, path);
    assert.equal(await ask(t, path), "first");
    assert.deepEqual(readdirSync(folder), ["a.sock"]);
  });

  it("does not replace one that somebody answers on", async (t) => {
    const folder = createTempDir(t);
    const path = folder.join("a.sock");
    await listenAt(t, path);
    await assert.rejects(listenAt(t, path, "second"), { message: "address in use" });
    assert.equal(await ask(t, path), "first");
    assert.deepEqual(namesIn(folder), ["a.sock"]);
  });

  const others: Readonly<Record<string, (path: string) => void>> = {
    "a file": (path) => {
      writeFileSync(path, "precious");
    },
    "an empty file": (path) => {
      writeFileSync(path, "");
    },
    "a folder": (path) => {
      mkdirSync(path);
    },
    "a symbolic link to nothing": (path) => {
      symlinkSync("nothing", path);
    },
  };
  for (const [what, make] of Object.entries(others)) {
    it(`does not replace ${what}`, async (t) => {
      const folder = createTempDir(t);
      const path = folder.join("a.sock");
      make(path);
      const before = lstatSync(path).ino;
      await assert.rejects(listenAt(t, path), { message: "a file is there that is no socket" });
      assert.equal(lstatSync(path).ino, before);
      assert.deepEqual(namesIn(folder), ["a.sock"]);
    });
  }

  it("does not follow a symbolic link to a socket", async (t) => {
    const folder = createTempDir(t);
    leaveSocket(folder.join("b.sock"));
    symlinkSync("b.sock", folder.join("a.sock"));
    await assert.rejects(listenAt(t, folder.join("a.sock")), { message: /no socket/ });
    assert.deepEqual(namesIn(folder), ["a.sock", "b.sock"]);
  });

  it("does not take the place of what comes there while it begins", async (t) => {
    const folder = createTempDir(t);
    const path = folder.join("a.sock");
    const server = namedServer(t, "late");
    server.once("listening", () => {
      writeFileSync(path, "precious");
    });
    await assert.rejects(listenOnSocketFile(server, path), { message: "a file is there that is no socket" });
    assert.equal(readFileSync(path, "utf8"), "precious");
    assert.equal(server.listening, false);
    assert.deepEqual(namesIn(folder), ["a.sock"]);
  });

  for (const count of [1, 2]) {
    it(`leaves the socket of another one that replaces the same at the same time, after look ${count}`, async (t) => {
      const folder = createTempDir(t);
      const path = folder.join("a.sock");
      leaveSocket(path);
      await listenAt(t, folder.join("other.sock"), "other");
      onLook(t, path, count, () => {
        renameSync(folder.join("other.sock"), path);
      });
      const server = namedServer(t, "late");
      await assert.rejects(listenOnSocketFile(server, path), { message: "address in use" });
      assert.equal(server.listening, false);
      assert.equal(await ask(t, path), "other");
      assert.deepEqual(namesIn(folder), ["a.sock"]);
    });

    it(`takes the place of what goes while it begins, after look ${count}`, async (t) => {
      const folder = createTempDir(t);
      const path = folder.join("a.sock");
      leaveSocket(path);
      onLook(t, path, count, () => {
        unlinkSync(path);
      });
      await listenAt(t, path);
      assert.equal(await ask(t, path), "first");
      assert.deepEqual(namesIn(folder), ["a.sock"]);
    });
  }

  it("says what is in the way where there is no such folder", async (t) => {
    await assert.rejects(listenAt(t, createTempDir(t).join("no/a.sock")), { code: "ENOENT" });
  });

  it("refuses a path that would be cut off", async (t) => {
    await assert.rejects(listenAt(t, `/${"a".repeat(200)}`), { message: /too long/ });
  });

  it("leaves alone what somebody has put into its place meanwhile", async (t) => {
    const folder = createTempDir(t);
    const path = folder.join("a.sock");
    const first = namedServer(t, "first");
    const file = await listenOnSocketFile(first, path);
    renameSync(path, folder.join("old.sock"));
    await listenAt(t, path, "second");
    first.close();
    await once(first, "close");
    await file.remove();
    assert.equal(await ask(t, path), "second");
    assert.ok(existsSync(folder.join("old.sock")));
  });
});
