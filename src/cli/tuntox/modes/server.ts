/** `tuntox` without a job for a client: lets clients in, and connects them to what they ask for. */
import { statSync } from 'node:fs';
import { systemRandom } from '../../../base/random.js';
import { writeResult } from '../../../base/result-output.js';
import type { ServerSettings } from '../../../config/classic-settings.js';
import { FixedFactors } from '../../../engine/access/access-factors.js';
import { AccessPolicy } from '../../../engine/access/access-policy.js';
import { writeIdFile } from '../../../engine/id-file.js';
import type { IdentityPlace } from '../../../engine/identity.js';
import { startEngine } from '../../../engine/start-engine.js';
import { anyTarget, onlyBy } from '../../../engine/target-rules.js';
import type { Context, StartContext } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { type Service, USUAL_DIRECTORY } from '../service.js';
import { UsageError } from '../usage-error.js';

const ROOT = 0;

export async function runServer(settings: ServerSettings, context: StartContext, service: Service): Promise<number> {
  const { log, stdout, stopping } = context;
  const policy = policyOf(settings, context);
  const engine = await startEngine(log, {
    settings,
    place: placeOf(settings, context),
    isRelay: true,
    isLasting: true,
    mayReach: mayReachOf(settings, context),
  });
  try {
    const id = engine.id.toString();
    if (settings.idFile !== undefined) await writeIdFile(settings.idFile, id);
    engine.serve(policy);
    log.info(`serving as ${id}`);
    tellWhom(settings, context);
    await writeResult(stdout, `${id}\n`);
    await service.ready();
    await stopping.asked;
  } finally {
    await engine.stop();
  }
  // To be told to stop is how a server ends.
  return ExitStatus.Ok;
}

function policyOf(settings: ServerSettings, { log, given }: StartContext): AccessPolicy {
  const { whitelist, isInsecureOpen } = settings;
  const { secret } = given;
  const policy = new AccessPolicy(new FixedFactors({ random: systemRandom }, { secret, whitelist, isInsecureOpen }));
  if (policy.isClosed) {
    throw new UsageError(
      'nobody could get in: give a secret with --secret-file, or allow clients with -i, or everybody with --insecure-open',
    );
  }
  if (policy.isOpen) log.warn('everybody who knows the Tox ID gets in, because of --insecure-open');
  return policy;
}

/** Who means to connect, and gives nothing but the ID of a server, is told that this machine serves. */
function tellWhom({ whitelist, isInsecureOpen, rulesFile, secret }: ServerSettings, { log }: Context): void {
  const hasSecret = secret.from !== 'nowhere';
  const listed = whitelist.map((key) => key.short).join(', ');
  const byList = hasSecret ? `only ${listed} may come in, and only with the secret` : `only ${listed} may come in`;
  const others =
    isInsecureOpen && !hasSecret ? 'everybody may come in' : 'every client that has the secret may come in';
  const targets =
    rulesFile === undefined ? 'everything that this machine reaches, itself included' : `what ${rulesFile} allows`;
  log.info(`this is a server: ${whitelist.length > 0 ? byList : others}; clients reach ${targets}`);
  if (whitelist.length === 1 && !hasSecret) log.info(`to connect to ${listed} instead, add -L, -W or -p`);
}

function placeOf({ directory }: ServerSettings, { log }: Context): IdentityPlace {
  if (directory !== undefined) return { kind: 'directory', path: directory };
  if (!isOfDaemon(USUAL_DIRECTORY)) return { kind: 'if-possible', path: USUAL_DIRECTORY };
  const how = "add -U tuntox to use the daemon's, or -C DIRECTORY to keep one of your own";
  log.warn(`${USUAL_DIRECTORY} belongs to the daemon, so this Tox ID is for this run only: ${how}`);
  return { kind: 'nowhere' };
}

/** As it is installed. Root may write there, and would leave files that the daemon cannot read. */
function isOfDaemon(directory: string): boolean {
  const status = statSync(directory, { throwIfNoEntry: false });
  return process.geteuid?.() === ROOT && status !== undefined && (status.uid !== ROOT || status.gid !== ROOT);
}

function mayReachOf({ rulesFile }: ServerSettings, { log, given: { rules } }: StartContext): ReturnType<typeof onlyBy> {
  if (rulesFile === undefined || rules === undefined) return anyTarget;
  if (!rules.some(({ effect }) => effect === 'allow'))
    log.warn(`${rulesFile} allows nothing, so clients reach nothing`);
  return onlyBy(rules, rulesFile);
}
