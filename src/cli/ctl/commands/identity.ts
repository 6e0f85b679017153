/** `tuntoxctl id`: the Tox ID with which clients find this machine. */
import { type Command, show } from '../command.js';

/** A QR code needs dark on light: the blocks are its light parts, so they are white on black in every terminal. */
const INK = '\x1b[97;40m';
const PLAIN = '\x1b[0m';

export const IDENTITY_COMMANDS: readonly Command[] = [
  {
    path: ['id'],
    about: 'print the Tox ID that clients connect to',
    more: 'The Tox ID is not a secret: a client that knows it can ask for access, but is refused unless it is admitted.',
    options: [{ name: '--qr', about: 'also print it as a QR code' }],
    examples: ['', '--qr'],
    run: async (context) => {
      const identity = await context.session.call('id', {});
      const code = context.given.has('--qr') && !context.isJson ? await qrLines(`tox:${identity.toxId}`) : [];
      show(context, identity, ({ toxId }, out) => {
        for (const line of code) out.raw(out.hasColour ? `${INK}${line}${PLAIN}\n` : `${line}\n`);
        out.line(toxId);
      });
    },
  },
];

/** A line of text has two rows of the code. With its border the code has 41 columns and 21 lines. */
async function qrLines(text: string): Promise<string[]> {
  const { renderUnicodeCompact } = await import('uqr');
  return renderUnicodeCompact(text, { ecc: 'L', border: 2 }).split('\n');
}
