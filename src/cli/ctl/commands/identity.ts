/** `tuntoxctl id`: the Tox ID with which clients find this machine. */
import { qrLines } from '../../qr.js';
import { type Command, show } from '../command.js';

export const IDENTITY_COMMANDS: readonly Command[] = [
  {
    path: ['id'],
    about: 'print the Tox ID that clients connect to',
    more: 'The Tox ID is not a secret: a client that knows it can ask for access, but is refused unless it is admitted.',
    options: [{ name: '--qr', about: 'also print it as a QR code' }],
    examples: ['', '--qr'],
    run: async (context) => {
      const identity = await context.session.call('id', {});
      const hasQr = context.given.has('--qr') && !context.isJson;
      const code = hasQr ? await qrLines(`tox:${identity.toxId}`, context.out.hasColour) : [];
      show(context, identity, ({ toxId }, out) => {
        for (const line of code) out.raw(`${line}\n`);
        out.line(toxId);
      });
    },
  },
];
