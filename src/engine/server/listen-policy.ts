/**
 * Decides which ports clients may have opened: those of a daemon what their entries on the whitelist permit, and those of a server in the
 * foreground what its command line does.
 */
import type { Clock } from '../../base/clock.js';
import type { MayListen } from '../../tunnel/server/client-ports.js';
import { type ListenPermission, mayListen, permissionFor } from '../access/listen-permission.js';
import { isExpired, type WhitelistEntry } from '../access/whitelist.js';

/** @param deps.entryOf returns the client's entry on the whitelist, by its key in hex */
export function listenPolicy(deps: {
  readonly clock: Clock;
  readonly entryOf: (peerId: string) => WhitelistEntry | undefined;
}): MayListen {
  return (peerId, place) => {
    const entry = deps.entryOf(peerId);
    if (entry === undefined) return { allowed: false, reason: 'it has no entry on the whitelist' };
    if (isExpired(entry, deps.clock.unixTime())) {
      return { allowed: false, reason: 'its entry on the whitelist has expired' };
    }
    if (mayListen(entry.allowReverse ?? [], place)) return { allowed: true };
    const command = `tuntoxctl whitelist edit ${entry.alias ?? entry.publicKey.short} --allow-reverse ${permissionFor(place)}`;
    return { allowed: false, reason: `its entry does not permit it (to permit it: ${command})` };
  };
}

/** @param permissions of every client */
export function samePortsForAll(permissions: readonly ListenPermission[]): MayListen {
  return (_peerId, place) =>
    mayListen(permissions, place)
      ? { allowed: true }
      : { allowed: false, reason: `this server permits it with --allow-reverse ${permissionFor(place)}` };
}
