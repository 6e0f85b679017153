/** Who may use a proxy: names and passwords. */
import { createHash, timingSafeEqual } from 'node:crypto';

export interface ProxyUser {
  readonly name: string;
  readonly password: string;
}

/** UTF-8. */
export interface Credentials {
  readonly name: Buffer;
  readonly password: Buffer;
}

export class ProxyUsers {
  readonly #digests: readonly Buffer[];

  constructor(users: readonly ProxyUser[]) {
    this.#digests = users.map(({ name, password }) =>
      digest({ name: Buffer.from(name), password: Buffer.from(password) }),
    );
  }

  /** Takes the same time for each text of a length, and whichever user it is. */
  admits(given: Credentials): boolean {
    const own = digest(given);
    let isUser = false;
    for (const one of this.#digests) isUser = timingSafeEqual(one, own) || isUser;
    return isUser;
  }
}

/** Its length does not show those of the texts. */
function digest({ name, password }: Credentials): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(name.length);
  return createHash('sha256').update(size).update(name).update(password).digest();
}
