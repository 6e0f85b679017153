/** `tuntoxctl id`: what clients need to find us. */
import { type Command, show } from '../command.js';

/** The blocks are the light parts: white on black whatever the terminal's own colours are, as a camera wants it. */
const INK = '\x1b[97;40m';
const PLAIN = '\x1b[0m';

export const IDENTITY_COMMANDS: readonly Command[] = [
  {
    path: ['id'],
    about: 'print the Tox ID to give to clients',
    more: 'It is no secret by itself: who knows it can ask to get in, and is refused unless let in.',
    options: [{ name: '--qr', about: 'print it as a QR code as well, for a telephone' }],
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

/** Two rows of the code a line, with a border: 41 columns, 21 lines. */
async function qrLines(text: string): Promise<string[]> {
  const { renderUnicodeCompact } = await import('uqr');
  return renderUnicodeCompact(text, { ecc: 'L', border: 2 }).split('\n');
}
