/** A user other than root. */
import { spawnSync } from 'node:child_process';
import { TUNTOX, TUNTOX_COMMAND } from '../../support/processes.js';
import type { Requirement } from '../../support/requirements.js';

/** The number of the user and the group `nobody`. */
export const ORDINARY = 65534;

/** Root is allowed everything, so the command runs as another user. */
const isRoot = process.getuid?.() === 0;
export const asOrdinaryUser: readonly string[] = isRoot
  ? ['setpriv', `--reuid=${ORDINARY}`, `--regid=${ORDINARY}`, '--clear-groups', '--bounding-set=-all']
  : [];

/** The program itself may lie where only root looks. */
export const runsAsOrdinaryUser: Requirement = {
  isMet: spawnSync('env', [...asOrdinaryUser, ...TUNTOX_COMMAND, '-V']).status === 0,
  reason: `an ordinary user cannot run ${TUNTOX}`,
  isOptional: true,
};
