/** `tuntoxctl expose`, `services`: targets that clients reach by name. */
import { targetText } from '../../../base/endpoint.js';
import type { Result } from '../../../control/protocol.js';
import { type Command, type Context, show, withConfirmation, YES } from '../command.js';
import { timeText } from '../names.js';

export const SERVICE_COMMANDS: readonly Command[] = [
  {
    path: ['expose'],
    isWrite: true,
    about: 'give a target a name, by which clients reach it',
    more: 'TARGET is a port of this machine, or HOST:PORT, both with udp: in front for UDP; or the path of a Unix socket. Without a rules file, clients reach the services only. A client uses the name as a target: tuntox -L 2222:ssh, --allow ssh.',
    arguments: [{ name: 'NAME' }, { name: 'TARGET' }],
    options: [
      {
        name: '--proxy-protocol',
        about: 'begin each connection with a header of the PROXY protocol (version 2), for a target that asks for it',
      },
      { name: '--replace', about: 'give a service of this name the new target' },
      YES,
    ],
    examples: ['ssh 22', 'web 10.0.0.5:80', 'dns udp:53', 'db /run/postgresql/.s.PGSQL.5432'],
    run: async (context) => {
      const { given, session } = context;
      const [name = '', target = ''] = given.arguments;
      const { dryRun } = given;
      const proxyProtocol = given.has('--proxy-protocol');
      const params = { name, target, proxyProtocol, replace: given.has('--replace'), dryRun };
      const change = await withConfirmation(context, (confirmed) =>
        session.call('services.add', { ...params, confirmed }),
      );
      showChange(context, change, dryRun ? 'would expose' : 'exposed');
      return undefined;
    },
  },
  {
    path: ['services', 'list'],
    isDefault: true,
    about: 'list the services',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('services.list', {});
      show(context, list, ({ services, only }, out) => {
        if (services.length === 0) {
          out.line('no services; to give a target a name: tuntoxctl expose ssh 22', { indent: 2 });
          return;
        }
        out.table(
          [{ heading: 'NAME' }, { heading: 'TARGET', narrowest: 12 }, { heading: 'ADDED' }],
          services.map((one) => [one.name, shownTarget(one), timeText(one.addedAt, true)]),
        );
        if (only) out.line('clients reach these alone, as far as their --allow lists allow it', { indent: 2 });
      });
      return undefined;
    },
  },
  {
    path: ['services', 'remove'],
    isWrite: true,
    about: 'remove a service, and close its tunnels',
    arguments: [{ name: 'NAME' }],
    options: [YES],
    examples: ['ssh'],
    run: async (context) => {
      const { given, session } = context;
      const [name = ''] = given.arguments;
      const { dryRun } = given;
      const change = await withConfirmation(context, (confirmed) =>
        session.call('services.remove', { name, confirmed, dryRun }),
      );
      showChange(context, change, dryRun ? 'would remove' : 'removed');
      return undefined;
    },
  },
];

const shownTarget = ({ target, proxyProtocol }: Result<'services.add'>['service']): string =>
  `${targetText(target)}${proxyProtocol ? ' proxy' : ''}`;

function showChange(context: Context, change: Result<'services.add'>, done: string): void {
  show(context, change, ({ service, closedTunnels, notes }, out) => {
    out.line(`${done}  ${service.name}  ${shownTarget(service)}`, { indent: done.length + 2 });
    if (closedTunnels > 0) out.line(`tunnels that this closes: ${closedTunnels}`, { indent: 2 });
    for (const note of notes) out.line(note, { indent: 2 });
  });
}
