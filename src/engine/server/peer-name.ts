/** How the log names a client: as its owner calls it, and by the first digits of its key. */

/** Hex digits. */
const SHORT = 8;

/** @param id public key in hex */
export const peerName = (id: string, alias: string | undefined): string =>
  alias === undefined ? id.slice(0, SHORT) : `${alias} ${id.slice(0, SHORT)}`;
