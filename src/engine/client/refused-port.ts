/** Why a server did not open a port for us, and what to do. */
import type { ReverseSpec } from '../../tunnel/client/forward-spec.js';
import { explainReason, type Reason } from '../../tunnel/wire/reasons.js';
import { permissionFor } from '../access/listen-permission.js';
import type { SettingNames } from '../state/setting-names.js';
import type { OwnKey } from './server-error.js';

/** @param own our key, by which the owner of the server names us */
export function explainRefusedPort(
  reason: Reason,
  at: ReverseSpec['at'],
  { short, isStored }: Pick<OwnKey, 'short' | 'isStored'>,
  { directory }: SettingNames,
): string {
  if (reason !== 'not-allowed') return explainReason(reason);
  const text = 'the server does not permit it to this client';
  if (!isStored)
    return `${text}, which has another key in each run: keep one with ${directory}, for its owner to permit it (a tuntox without a daemon permits it to all, with --allow-reverse ${permissionFor(at)})`;
  const option = `--allow-reverse ${permissionFor(at)}`;
  const command = `tuntoxctl whitelist edit ${short} ${option}`;
  return `${text}: its owner can, with ${command} (add instead of edit, if it has no entry), or with ${option} of a tuntox without a daemon`;
}
