/** `tuntoxctl ping`: the round-trip time to a client. */
import { roundTripText } from '../../../base/units.js';
import { type Command, show } from '../command.js';
import { nameOf } from '../names.js';

export const PING_COMMANDS: readonly Command[] = [
  {
    path: ['ping'],
    about: 'measure the round-trip time to a client',
    arguments: [{ name: 'CLIENT', completes: 'client' }],
    examples: ['laptop'],
    run: async (context) => {
      const pong = await context.session.call('ping', { client: context.given.argument(0) });
      show(context, pong, ({ client, roundTripMs }, out) => {
        out.line(`${nameOf(client)} answered in ${roundTripText(roundTripMs)}`);
      });
    },
  },
];
