/** `secret`: the shared secret. A generated one is sent once; only a hash of it is stored. */
import { LAST_UNIX_TIME, rfc3339 } from '../../base/clock.js';
import { newSecret } from '../../config/link-secret.js';
import { errorOfSecret } from '../../config/secret-file.js';
import { ControlError } from '../../control/control-error.js';
import type { MethodHandlers, Params, Result } from '../../control/protocol.js';
import type { SecretCheck } from '../../engine/access/secret-check.js';
import { type AffectedClients, affectedBy, confirm, tunnelsOf } from './affected-clients.js';
import type { MethodContext } from './context.js';
import { checkRead, saved } from './save-errors.js';

type Deps = Pick<MethodContext, 'access' | 'clock' | 'admission' | 'engine' | 'log' | 'random' | 'secretSource'>;
type Change = Result<'secret.set'>;
type Names = 'secret.status' | 'secret.set' | 'secret.rotate' | 'secret.off';

/** Characters of a generated one: 160 bits. */
const LENGTH = 32;
/** Bytes: a shorter secret could be guessed. */
const GOOD_LENGTH = 12;

/** A secret that no client has used. */
const NEW_SECRET: SecretCheck = {
  digest: (candidate) => candidate,
  compare: () => 'wrong',
  compareSlowly: async () => 'checked',
};
const HINT = 'to admit clients that have either of the two, set access.require to any first';

interface Options {
  readonly confirmed: boolean;
  readonly graceMs: number;
  readonly dropSessions: boolean;
  readonly dryRun: boolean;
  /** Whether the daemon generated it. */
  readonly isGenerated?: boolean;
  /** Whether it does not come into force yet. */
  readonly proposal?: boolean;
}

export function secretMethods(deps: Deps): Pick<MethodHandlers, Names> {
  const { access, clock, log, random } = deps;
  /** The last generated secret that has not come into force. */
  let proposed: string | undefined;

  const set = async (secret: Buffer, options: Options): Promise<Change> => {
    checkIsOurs(deps);
    const { graceMs, dropSessions, dryRun, isGenerated = false, proposal = false } = options;
    if (graceMs > 0 && dropSessions) {
      throw new ControlError('bad-params', 'graceMs and dropSessions cannot be used together', {
        hint: 'graceMs keeps the previous secret valid, dropSessions disconnects the clients that used it',
      });
    }
    // The stored time has whole seconds.
    const seconds = Math.ceil(graceMs / 1000);
    if (clock.unixTime() + seconds > LAST_UNIX_TIME) {
      throw new ControlError('bad-params', 'the grace period is too long', { hint: 'use a shorter time, such as 24h' });
    }
    const hadOne = access.secret !== undefined;
    // A secret that replaces another is meant to refuse the clients that have only that one; a first secret is not.
    const affected: AffectedClients = hadOne
      ? {
          clients: dropSessions
            ? affectedBy(deps, { factors: { secretGeneration: access.secretGeneration + 1 } }).clients
            : [],
          kinds: [],
        }
      : affectedBy(deps, { door: { hasSecret: true }, factors: { secret: NEW_SECRET } });
    const asked = confirm(deps, { confirmed: hadOne || options.confirmed, dryRun }, affected, HINT);
    const closedTunnels = tunnelsOf(deps, affected.clients).length;
    const notes = [...asked, ...notesOfSetting(deps, hadOne, options)];
    if (!dryRun && !proposal) {
      await saved(access.setSecret(secret, { grace: seconds, dropSessions, isGenerated }), 'CLIENT');
      log.info(hadOne ? 'secret replaced' : 'secret set');
    }
    const previousValidUntil = hadOne && seconds > 0 ? rfc3339(clock.unixTime() + seconds) : null;
    return { schema: 'tuntox.secret-change/1', changed: true, secret: null, previousValidUntil, closedTunnels, notes };
  };

  return {
    'secret.status': () => {
      if (!access.isSecretGiven) checkRead(access.errors.get('secret'));
      return secretStatus(deps);
    },
    'secret.set': async ({ secret, ...options }) => {
      const bytes = Buffer.from(secret);
      const error = errorOfSecret(bytes);
      if (error !== undefined) throw new ControlError('bad-params', `the secret ${error}`);
      const isGenerated = secret === proposed;
      const change = await set(bytes, { ...options, isGenerated });
      if (isGenerated && !options.dryRun) proposed = undefined;
      const notes =
        bytes.length < GOOD_LENGTH
          ? [`this secret is short and could be guessed: use ${GOOD_LENGTH} or more characters`]
          : [];
      return { ...change, notes: [...change.notes, ...notes] };
    },
    'secret.rotate': async ({ proposal, ...options }) => {
      const secret = newSecret(random, LENGTH);
      const change = await set(Buffer.from(secret), { ...options, isGenerated: true, proposal });
      if (proposal && !options.dryRun) proposed = secret;
      return { ...change, secret: options.dryRun ? null : secret };
    },
    'secret.off': (params) => off(deps, params),
  };
}

async function off(deps: Deps, { confirmed, dryRun }: Params<'secret.off'>): Promise<Change> {
  const { access, log } = deps;
  checkIsOurs(deps);
  const change = { schema: 'tuntox.secret-change/1', secret: null, previousValidUntil: null } as const;
  if (access.secret === undefined)
    return { ...change, changed: false, closedTunnels: 0, notes: ['there is no secret to remove'] };
  const affected = affectedBy(deps, {
    door: { hasSecret: false },
    isSecretUnchanged: false,
    factors: { secret: undefined },
  });
  const asked = confirm(deps, { confirmed, dryRun }, affected, noteWithout(access));
  const closedTunnels = tunnelsOf(deps, affected.clients).length;
  const notes = [...asked, noteWithout(access)];
  if (!dryRun) {
    await saved(access.setSecret(undefined, { grace: 0, dropSessions: false }));
    log.info('secret removed');
  }
  return { ...change, changed: true, closedTunnels, notes };
}

export function secretStatus({
  access,
  clock,
  secretSource,
}: Pick<Deps, 'access' | 'clock' | 'secretSource'>): Result<'secret.status'> {
  const { changedAt, old } = access.secretState;
  const set = access.secret !== undefined;
  const isOldValid = old !== undefined && clock.unixTime() < old.validUntil;
  return {
    schema: 'tuntox.secret/1',
    set,
    source: access.isSecretGiven ? secretSource() : set ? 'state' : 'none',
    changedAt: changedAt === undefined ? null : rfc3339(changedAt),
    previousValidUntil: isOldValid ? rfc3339(old.validUntil) : null,
  };
}

function notesOfSetting({ access, admission }: Deps, hadOne: boolean, options: Options): string[] {
  const needsBoth = access.hasWhitelist && access.require === 'all';
  const areKept = !options.dropSessions && admission.clients.length > 0;
  return [
    ...(needsBoth ? [`clients on the whitelist need the ${hadOne ? 'new ' : ''}secret too (access.require: all)`] : []),
    ...(hadOne || access.hasWhitelist ? [] : ['every client that has the secret and the Tox ID is admitted']),
    ...(areKept ? ['connected clients stay connected; they need the new secret to reconnect'] : []),
  ];
}

function noteWithout({ hasWhitelist, isOpen }: Deps['access']): string {
  if (hasWhitelist) return 'from now on every client on the whitelist is admitted';
  if (isOpen) return 'from now on every client that knows the Tox ID is admitted (access.open)';
  return 'there is no whitelist either, so no client is admitted';
}

/** @throws ControlError */
function checkIsOurs({ access, secretSource }: Deps): void {
  if (!access.isSecretGiven) return;
  const isCredential = secretSource() === 'credential';
  throw new ControlError(
    'failed',
    `the secret comes from ${isCredential ? 'a systemd credential' : 'the file in access.secret_file'}`,
    {
      hint: isCredential
        ? 'change it there, then restart the daemon'
        : 'change it there, then run: tuntoxctl config reload',
    },
  );
}
