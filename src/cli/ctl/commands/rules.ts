/** `tuntoxctl rules`: which targets clients may reach. */
import { targetText } from '../../../base/endpoint.js';
import { type Command, show } from '../command.js';
import { usage } from '../ctl-error.js';
import { nameOf } from '../names.js';

export const RULE_COMMANDS: readonly Command[] = [
  {
    path: ['rules', 'list'],
    isDefault: true,
    about: 'list the target rules',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('rules.list', {});
      show(context, list, ({ file, rules }, out) => {
        if (file === null) {
          out.line('no rules file: clients reach the services, or every target if there are none', { indent: 2 });
          return;
        }
        out.line(`from ${file}; a target is refused unless a rule allows it and none denies it`, { indent: 2 });
        if (rules.length === 0) out.line('the file has no rules: every target is refused', { style: 'warning' });
        else {
          out.table(
            [{ heading: 'LINE' }, { heading: 'RULE', narrowest: 20 }],
            rules.map(({ line, text }) => [String(line), text]),
          );
        }
      });
    },
  },
  {
    path: ['rules', 'check'],
    about: 'check whether a client may reach a target, and why',
    more: 'The daemon decides as it would for a real request. Exits with 0 whether the target is allowed or refused.',
    options: [
      { name: '--client', value: 'CLIENT', about: 'the client', completes: 'client' },
      {
        name: '--target',
        value: 'TARGET',
        about: 'the target: HOST:PORT, udp:HOST:PORT, a service, or the path of a Unix socket',
      },
    ],
    examples: ['--client laptop --target 127.0.0.1:22'],
    run: async (context) => {
      const { given, session } = context;
      const client = given.value('--client');
      const target = given.value('--target');
      if (client === undefined || target === undefined) {
        throw usage(
          `rules check needs ${client === undefined ? '--client' : '--target'}`,
          'example: tuntoxctl rules check --client laptop --target 127.0.0.1:22',
        );
      }
      const verdict = await session.call('rules.check', { client, target });
      show(context, verdict, (result, out) => {
        const answer = result.allowed ? 'allowed' : 'refused';
        out.line(`${answer}  ${nameOf(result.client)}  ${targetText(result.target)}`, {
          style: result.allowed ? 'good' : 'warning',
          indent: 9,
        });
        out.line(`decided by: ${result.decidedBy}`, { indent: 2 });
      });
    },
  },
];
