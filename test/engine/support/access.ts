/** The access of a server on a manual clock, and entries of its whitelist. */
import type { Test } from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import type { Random } from '../../../src/base/random.js';
import { AccessControl, type AccessSettings } from '../../../src/engine/access/access-control.js';
import { AccessPolicy } from '../../../src/engine/access/access-policy.js';
import type { WhitelistEntry } from '../../../src/engine/access/whitelist.js';
import { type FileSystem, nodeFileSystem } from '../../../src/engine/state/file-system.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ManualClock } from '../../support/manual-clock.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { NAMES } from './names.js';

export const entryOf = (publicKey: PublicKey, more: Partial<WhitelistEntry> = {}): WhitelistEntry => ({
  publicKey,
  alias: undefined,
  allow: [],
  rate: undefined,
  maxTunnels: undefined,
  expiresAt: undefined,
  note: '',
  addedAt: 1,
  invited: false,
  ...more,
});

export interface Access {
  readonly clock: ManualClock;
  readonly control: AccessControl;
  readonly policy: AccessPolicy;
  /** Keys that sent wrong secrets, with how many. */
  readonly guesses: readonly [PublicKey, number][];
}

export interface AccessOptions {
  readonly directory?: string;
  readonly settings?: Partial<AccessSettings>;
  readonly files?: FileSystem;
  readonly clock?: ManualClock;
}

/** Without settings it admits nobody. */
export async function openAccess(
  t: Test,
  random: Random,
  {
    clock = new ManualClock(),
    directory = temporaryDirectory(t),
    files = nodeFileSystem,
    settings,
  }: AccessOptions = {},
): Promise<Access> {
  const closed: AccessSettings = { require: 'all', isOpen: false, givenSecret: undefined };
  const deps = { clock, random, log: silentLogger, files };
  const control = await AccessControl.open(deps, { path: directory, names: NAMES }, { ...closed, ...settings });
  t.teardown(() => control.close());
  const guesses: [PublicKey, number][] = [];
  return { clock, control, policy: new AccessPolicy(control, (...guess) => guesses.push(guess)), guesses };
}
