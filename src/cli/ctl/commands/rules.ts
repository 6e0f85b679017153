/** `tuntoxctl rules`: which targets may be reached. */
import { type Command, show } from '../command.js';
import { usage } from '../ctl-error.js';
import { nameOf, targetText } from '../names.js';

export const RULE_COMMANDS: readonly Command[] = [
  {
    path: ['rules', 'list'],
    isDefault: true,
    about: 'list the rules for targets',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('rules.list', {});
      show(context, list, ({ file, rules }, out) => {
        if (file === null) {
          out.line('no rules file: any target (targets.rules_file in the configuration names one)', { indent: 2 });
          return;
        }
        out.line(`from ${file}; a target that no rule allows, or that one denies, is refused`, { indent: 2 });
        if (rules.length === 0) out.line('it has no rule: nothing may be reached', { style: 'warning' });
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
    about: 'ask whether a client may reach a target, and why',
    more: 'It is answered by what decides over real requests. Exits with 0 whether it is allowed or not.',
    options: [
      { name: '--client', value: 'C', about: 'the client that asks', completes: 'client' },
      { name: '--target', value: 'H:P', about: 'what it asks for' },
    ],
    examples: ['--client laptop --target 127.0.0.1:22'],
    run: async (context) => {
      const { given, session } = context;
      const client = given.value('--client');
      const target = given.value('--target');
      if (client === undefined || target === undefined) {
        throw usage(
          `rules check needs ${client === undefined ? '--client' : '--target'}`,
          'as in: tuntoxctl rules check --client laptop --target 127.0.0.1:22',
        );
      }
      const verdict = await session.call('rules.check', { client, target });
      show(context, verdict, (result, out) => {
        const answer = result.isAllowed ? 'allowed' : 'refused';
        out.line(`${answer}  ${nameOf(result.client)}  ${targetText(result.target)}`, {
          style: result.isAllowed ? 'good' : 'warning',
          indent: 9,
        });
        out.line(`decided by: ${result.decidedBy}`, { indent: 2 });
      });
    },
  },
];
