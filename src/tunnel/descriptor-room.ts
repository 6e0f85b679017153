/**
 * Which of all peers may have a descriptor more. Each may have as many as are left for everybody: one alone gets half of them, two
 * get a third each, and there is always one left for who has none yet ("dynamic thresholds", Choudhury and Hahne, 1998).
 */

/**
 * @param own what this peer has
 * @param limit what all tunnels may have
 * @param used what all have
 * @returns why there is none for this peer, for the owner's eyes; undefined where there is
 */
export function noRoomFor(
  own: number,
  { limit, used }: { readonly limit: number; readonly used: number },
): string | undefined {
  const left = limit - used;
  if (own < left) return undefined;
  return `this client has ${own} connections, and of the ${limit} that this process may have together ${Math.max(0, left)} are left`;
}
