/** `tuntoxctl bans`: keys that the daemon does not answer. */
import { shortKey } from '../../../base/short-key.js';
import { countText } from '../../../base/units.js';
import { type Command, show } from '../command.js';
import { timeText } from '../names.js';

export const BAN_COMMANDS: readonly Command[] = [
  {
    path: ['bans', 'list'],
    isDefault: true,
    about: 'list the banned keys',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('bans.list', {});
      show(context, list, ({ bans }, out) => {
        if (bans.length === 0) {
          out.line('no bans');
          return;
        }
        out.table(
          [{ heading: 'KEY' }, { heading: 'REASON', narrowest: 12 }, { heading: 'SINCE' }, { heading: 'UNTIL' }],
          bans.map(({ publicKey, reason, since, until, persistent }) => [
            shortKey(publicKey),
            reason,
            timeText(since, true),
            `${until === null ? 'cleared' : timeText(until, true)}${persistent ? '' : ' or restart'}`,
          ]),
        );
      });
    },
  },
  {
    path: ['bans', 'clear'],
    isWrite: true,
    about: 'lift the ban on one client, or all bans',
    arguments: [{ name: 'CLIENT', isOptional: true }],
    examples: ['', '9F3A11C2'],
    run: async (context) => {
      const { given, session } = context;
      const [client] = given.arguments;
      const { dryRun } = given;
      const list = await session.call('bans.clear', { ...(client === undefined ? {} : { client }), dryRun });
      show(context, list, ({ bans }, out) => {
        for (const { publicKey, reason } of bans) {
          out.line(`${dryRun ? 'would lift' : 'lifted'}  ${shortKey(publicKey)}  ${reason}`, { indent: 8 });
        }
        if (bans.length !== 1) out.line(countText(bans.length, 'ban'));
      });
    },
  },
];
