import { hash, timingSafeEqual } from "node:crypto";

export interface User {
  readonly username: string;
  readonly password: string;
}

/** No password has this digest: what an unknown user's is compared with, so that it takes as long as a known one's. */
const nobodysDigest = Buffer.alloc(32);

/** Who may use an inbound. Passwords are kept as digests and compared in constant time. */
export class Users {
  readonly #digests: ReadonlyMap<string, Buffer>;

  constructor(users: readonly User[] = []) {
    this.#digests = new Map(users.map(({ username, password }) => [username, digestOf(password)]));
  }

  /** Whether a client has to log in at all: only where there are users. */
  get areRequired(): boolean {
    return this.#digests.size > 0;
  }

  /** Whether there is such a user with that password. */
  authenticate(username: string, password: string): boolean {
    const expected = this.#digests.get(username);
    const isEqual = timingSafeEqual(digestOf(password), expected ?? nobodysDigest);
    return isEqual && expected !== undefined;
  }

  /**
   * Whether somebody who came in by those users could come in by these all the same.
   *
   * @param username - `undefined` for somebody who did not have to log in.
   */
  stillAdmit(username: string | undefined, before: Users): boolean {
    if (username === undefined) return !this.areRequired;
    const digest = this.#digests.get(username);
    return digest !== undefined && before.#digests.get(username)?.equals(digest) === true;
  }
}

function digestOf(password: string): Buffer {
  return hash("sha256", password, "buffer");
}
