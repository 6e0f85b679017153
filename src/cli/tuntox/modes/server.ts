/** A server: `tuntox` without -L, -D, -R, -W and -p. It admits clients and connects them to their targets. */
import { statSync } from 'node:fs';
import { systemRandom } from '../../../base/random.js';
import { writeResult } from '../../../base/result-output.js';
import type { ServerSettings } from '../../../config/classic-settings.js';
import { FixedFactors } from '../../../engine/access/access-factors.js';
import { AccessPolicy } from '../../../engine/access/access-policy.js';
import { listenPermissionText } from '../../../engine/access/listen-permission.js';
import { anyTarget, onlyBy } from '../../../engine/access/target-rules.js';
import { connectionNews, followTunnels } from '../../../engine/server/client-news.js';
import { samePortsForAll } from '../../../engine/server/listen-policy.js';
import { startEngine } from '../../../engine/start-engine.js';
import type { IdentityPlace } from '../../../engine/state/identity.js';
import type { ServiceProcess } from '../../../platform/process/service-process.js';
import type { Context, StartContext } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { writeIdFile } from '../id-file.js';
import { namesOf } from '../setting-names.js';
import { UsageError } from '../usage-error.js';

/** Upstream keeps the identity of a server in this directory. */
const DEFAULT_DIRECTORY = '/etc/tuntox';
const ROOT = 0;

export async function runServer(
  settings: ServerSettings,
  context: StartContext,
  service: ServiceProcess,
): Promise<number> {
  const { log, stdout, stopping, tell } = context;
  const policy = policyOf(settings, context);
  const engine = await startEngine(log, {
    settings,
    place: placeOf(settings, context),
    names: namesOf(settings),
    isRelay: true,
    isLasting: true,
    policy: { mayReach: mayReachOf(settings, context), mayListen: samePortsForAll(settings.ports) },
  });
  try {
    const id = engine.id.toString();
    if (settings.idFile !== undefined) await writeIdFile(settings.idFile, id);
    engine.serve(policy, undefined, tell === undefined ? {} : { onEvent: connectionNews(tell) });
    if (tell !== undefined) followTunnels(engine.tunnels, tell);
    log.info(`serving as ${id}`);
    logAdmission(settings, context);
    log.info(
      `to connect: tuntox -i ${id}${context.given.secret === undefined ? '' : ' --secret-file FILE'} -L 2222:127.0.0.1:22`,
    );
    if (tell === undefined) await writeResult(stdout, `${id}\n`);
    else tell({ event: 'serving', toxId: id });
    await service.ready();
    await stopping.asked;
  } finally {
    await engine.stop();
  }
  // For a server, a signal is a successful end.
  return ExitStatus.Ok;
}

function policyOf(settings: ServerSettings, { log, given }: StartContext): AccessPolicy {
  const { whitelist, isInsecureOpen } = settings;
  const { secret } = given;
  const policy = new AccessPolicy(new FixedFactors({ random: systemRandom }, { secret, whitelist, isInsecureOpen }));
  if (policy.isClosed) {
    throw new UsageError(
      'this server could not admit any client: add a secret with --secret-file, clients with -i, or --insecure-open',
    );
  }
  if (policy.isOpen) log.warn('every client that knows the Tox ID is admitted (--insecure-open)');
  return policy;
}

/** Logs who is admitted. A person who meant to be a client, and gave only the ID of a server, sees that this is a server. */
function logAdmission({ whitelist, isInsecureOpen, ports, rulesFile, secret }: ServerSettings, { log }: Context): void {
  const hasSecret = secret.from !== 'nowhere';
  const listed = whitelist.map((key) => key.short).join(', ');
  const byList = hasSecret ? `only ${listed}, and only with the secret` : `only ${listed}`;
  const others = isInsecureOpen && !hasSecret ? 'every client' : 'every client with the secret';
  const targets =
    rulesFile === undefined ? 'everything that this machine reaches, including itself' : `what ${rulesFile} allows`;
  log.info(`this is a server that admits ${whitelist.length > 0 ? byList : others}; clients may reach ${targets}`);
  if (ports.length > 0) log.info(`clients may have opened, with -R: ${ports.map(listenPermissionText).join(', ')}`);
  if (whitelist.length === 1 && !hasSecret) log.info(`to connect to ${listed} instead, add -L, -D, -R, -W or -p`);
}

function placeOf({ directory }: ServerSettings, { log }: Context): IdentityPlace {
  if (directory !== undefined) return { kind: 'directory', path: directory };
  if (!isOfDaemon(DEFAULT_DIRECTORY)) return { kind: 'if-possible', path: DEFAULT_DIRECTORY };
  const how = "add -U tuntox to use the daemon's, or -C DIR to keep one of your own";
  log.warn(`${DEFAULT_DIRECTORY} belongs to the daemon, so this Tox ID is temporary: ${how}`);
  return { kind: 'nowhere' };
}

/** Whether the directory is the installed daemon's. Root could write there, but would leave files that the daemon cannot read. */
function isOfDaemon(directory: string): boolean {
  const status = statSync(directory, { throwIfNoEntry: false });
  return process.geteuid?.() === ROOT && status !== undefined && (status.uid !== ROOT || status.gid !== ROOT);
}

function mayReachOf({ rulesFile }: ServerSettings, { log, given: { rules } }: StartContext): ReturnType<typeof onlyBy> {
  if (rulesFile === undefined || rules === undefined) return anyTarget;
  if (!rules.some(({ effect }) => effect === 'allow')) log.warn(`${rulesFile} allows no target`);
  return onlyBy(rules, rulesFile);
}
