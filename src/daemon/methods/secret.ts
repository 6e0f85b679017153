/** `secret`: the shared secret. It is told once, when it is made, and only a hash of it is kept. */
import { LAST_UNIX_TIME } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { errorOfSecret } from '../../config/secret-file.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers } from '../../control/method-handlers.js';
import type { Result } from '../../control/protocol.js';
import type { SecretCheck } from '../../engine/access/secret-check.js';
import type { AdmittedClient } from '../../engine/server/client-admission.js';
import type { MethodContext } from './context.js';
import { confirm, type Supposed, shutOutIf, tunnelsOf } from './leaving.js';
import { saved } from './saving.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine' | 'log' | 'random' | 'secretSource'>;
type Change = Result<'secret.set'>;
type Names = 'secret.status' | 'secret.set' | 'secret.rotate' | 'secret.off';

/** 32 of 32 letters are 160 bits; those that are easily taken for others are left out. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const LENGTH = 32;
/** Bytes below which somebody could guess it. */
const GOOD_LENGTH = 12;

/** One that nobody has come with. */
const NEW_SECRET: SecretCheck = {
  digest: (candidate) => candidate,
  compare: () => 'wrong',
  compareSlowly: async () => 'told',
};
const HINT = 'if one of the two is to be enough, set access.require to any first';

interface Options {
  readonly confirmed: boolean;
  readonly grace: number;
  readonly dropSessions: boolean;
  readonly dryRun: boolean;
  /** Whether we have made it. */
  readonly isGenerated?: boolean;
  /** Whether it is not put in force yet. */
  readonly proposal?: boolean;
}

export function secretMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const { access, clock, log, random } = deps;
  /** The last that we have made and not put in force. */
  let proposed: string | undefined;

  const set = async (secret: Buffer, options: Options): Promise<Change> => {
    checkIsOurs(deps);
    const { grace, dropSessions, dryRun, isGenerated = false, proposal = false } = options;
    if (grace > 0 && dropSessions) {
      throw new ControlError('bad-params', 'a grace lets the old one be used, and dropping the sessions does not', {
        hint: 'choose one of the two',
      });
    }
    // What is kept has whole seconds.
    const seconds = Math.ceil(grace / 1000);
    if (clock.unixTime() + seconds > LAST_UNIX_TIME) {
      throw new ControlError('bad-params', 'that grace is too long', { hint: 'write a shorter one, as in 24h' });
    }
    const hadOne = access.secret !== undefined;
    // A secret that takes the place of another one is to keep out who has that; a first one is not meant to keep out anybody.
    const lost = hadOne
      ? {
          guests: dropSessions ? leavingIf(deps, { secretGeneration: access.secretGeneration + 1 }) : [],
          kinds: [],
        }
      : shutOutIf(deps, { door: { hasSecret: true }, factors: { secret: NEW_SECRET } });
    const asked = confirm(deps, { confirmed: hadOne || options.confirmed, dryRun }, lost, HINT);
    const closedTunnels = tunnelsOf(deps, lost.guests).length;
    const notes = [...asked, ...notesOfSetting(deps, hadOne, options)];
    if (!dryRun && !proposal) {
      await saved(access.setSecret(secret, { grace: seconds, dropSessions, isGenerated }), 'CLIENT');
      log.info(hadOne ? 'the secret was changed' : 'a secret was set');
    }
    const oldValidUntil = hadOne && seconds > 0 ? clock.unixTime() + seconds : null;
    return { schema: 'tuntox.secret-change/1', secret: null, oldValidUntil, closedTunnels, notes };
  };

  return {
    'secret.status': () => secretStatus(deps),
    'secret.set': async ({ secret, ...options }) => {
      const bytes = Buffer.from(secret);
      const error = errorOfSecret(bytes);
      if (error !== undefined) throw new ControlError('bad-params', `the secret ${error}`);
      const isGenerated = secret === proposed;
      const change = await set(bytes, { ...options, isGenerated });
      if (isGenerated && !options.dryRun) proposed = undefined;
      const notes =
        bytes.length < GOOD_LENGTH ? [`it is short: ${GOOD_LENGTH} characters or more are hard to guess`] : [];
      return { ...change, notes: [...change.notes, ...notes] };
    },
    'secret.rotate': async ({ proposal, ...options }) => {
      const secret = newSecret(random);
      const change = await set(Buffer.from(secret), { ...options, isGenerated: true, proposal });
      if (proposal && !options.dryRun) proposed = secret;
      return { ...change, secret: options.dryRun ? null : secret };
    },
    'secret.off': async ({ confirmed, dryRun }) => {
      checkIsOurs(deps);
      const change = { schema: 'tuntox.secret-change/1', secret: null, oldValidUntil: null } as const;
      if (access.secret === undefined) return { ...change, closedTunnels: 0, notes: ['there was no secret'] };
      const lost = shutOutIf(deps, { door: { hasSecret: false }, isSecretKept: false, factors: { secret: undefined } });
      const asked = confirm(deps, { confirmed, dryRun }, lost, noteWithout(access));
      const closedTunnels = tunnelsOf(deps, lost.guests).length;
      const notes = [...asked, noteWithout(access)];
      if (!dryRun) {
        await saved(access.setSecret(undefined, { grace: 0, dropSessions: false }));
        log.info('the secret was taken away');
      }
      return { ...change, closedTunnels, notes };
    },
  };
}

/** For `secret.status` and `status`. */
export function secretStatus({
  access,
  clock,
  secretSource,
}: Pick<Deps, 'access' | 'clock' | 'secretSource'>): Result<'secret.status'> {
  const { changedAt, old } = access.secretState;
  const isSet = access.secret !== undefined;
  const isOldValid = old !== undefined && clock.unixTime() < old.validUntil;
  return {
    schema: 'tuntox.secret/1',
    isSet,
    source: access.isSecretGiven ? secretSource() : isSet ? 'state' : 'none',
    changedAt: changedAt ?? null,
    oldValidUntil: isOldValid ? old.validUntil : null,
  };
}

function notesOfSetting({ access, admission }: Deps, hadOne: boolean, options: Options): string[] {
  const needsBoth = access.hasWhitelist && access.require === 'all';
  const guests = admission.guests.length;
  const stay =
    options.dropSessions || guests === 0 ? [] : ['clients that are here stay, and need the new secret to come again'];
  return [
    ...(needsBoth
      ? [`clients on the whitelist need the ${hadOne ? 'new ' : ''}secret as well (access.require: all)`]
      : []),
    ...(hadOne || access.hasWhitelist ? [] : ['everybody who has the secret and the Tox ID gets in']),
    ...stay,
  ];
}

function noteWithout({ hasWhitelist, isOpen }: Deps['access']): string {
  if (hasWhitelist) return 'from now on being on the whitelist is enough';
  if (isOpen) return 'from now on everybody who knows the Tox ID gets in (access.open)';
  return 'there is no whitelist either, so nobody gets in';
}

const leavingIf = (deps: Deps, factors: Supposed['factors']): readonly AdmittedClient[] =>
  shutOutIf(deps, { factors }).guests;

/** @throws ControlError */
function checkIsOurs({ access, secretSource }: Deps): void {
  if (!access.isSecretGiven) return;
  const isCredential = secretSource() === 'credential';
  throw new ControlError(
    'failed',
    `the secret comes from ${isCredential ? 'a credential of systemd' : 'the file that access.secret_file names'}`,
    {
      hint: isCredential ? 'change it there, and restart' : 'change it there, then tuntoxctl config reload',
    },
  );
}

function newSecret(random: Random): string {
  return [...random.bytes(LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}
