/** `tuntox join LINK NAME`: connects once, so that a link that is wrong or used up is noticed, and stores the host. */
import { systemClock } from '../../../base/clock.js';
import { targetText } from '../../../base/endpoint.js';
import { writeResult } from '../../../base/result-output.js';
import type { StoreSettings } from '../../../config/classic-settings.js';
import type { TargetText } from '../../../config/formats.js';
import { localPortOf } from '../../../config/link.js';
import type { Remote } from '../../../engine/agent/agent-remote.js';
import type { Context } from '../context.js';
import { ExitStatus } from '../exit-status.js';
import { openHosts } from '../hosts.js';

const SSH_PORT = 22;
const LOCAL = ['127.0.0.1', 'localhost'];

/** @throws HostError when the name belongs to another key, before anything connects */
export async function checkBeforeStore({ host, serverId }: StoreSettings, { environment }: Context): Promise<void> {
  await openHosts(environment).check(host.name, serverId.toString());
}

/** @throws ServerError, HostError, StateFileError */
export async function store(settings: StoreSettings, server: Remote, context: Context): Promise<number> {
  return context.stopping.orStatusOf(
    Promise.race([server.online, server.givenUp]).then(async () => {
      const { serverId, host } = settings;
      await openHosts(context.environment).add({
        ...host,
        toxId: serverId.toString(),
        pinnedKey: serverId.publicKey.hex,
        addedAt: systemClock.unixTime(),
      });
      if (context.tell === undefined) await writeResult(context.stdout, nextSteps(settings));
      else context.tell({ event: 'stored', name: host.name });
      return ExitStatus.Ok;
    }),
  );
}

/** A link for another target does not allow the sshd. */
const maySsh = (target: StoreSettings['target']): boolean =>
  target === undefined || isSsh(target) || (target.port === SSH_PORT && LOCAL.includes(target.host));

const isSsh = ({ host, port }: TargetText): boolean => port === 0 && host === 'ssh';

/** The port of a service is not known yet. */
function exampleOf(target: StoreSettings['target']): string {
  if (target === undefined) return '8080:127.0.0.1:80';
  const local = target.port > 0 ? localPortOf(target) : isSsh(target) ? 2222 : 8080;
  return `${local}:${targetText(target)}`;
}

function nextSteps({ host: { name }, target }: StoreSettings): string {
  const commands = [
    ...(maySsh(target) ? ([[`tuntox ssh ${name}`, 'log in there']] as const) : []),
    [`tuntox ${name}`, 'list what it offers'],
    [`tuntox ${name} -L ${exampleOf(target)}`, 'forward a port'],
  ] as const;
  const width = Math.max(...commands.map(([command]) => command.length));
  return [
    `${name} is stored. Now you can run:`,
    '',
    ...commands.map(([command, about]) => `  ${command.padEnd(width)}   ${about}`),
    '',
    '',
  ].join('\n');
}
