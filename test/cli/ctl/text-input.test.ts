/** Texts as other programs save and copy them. */
import t from 'tap';
import { decodeText } from '../../../src/cli/ctl/text-input.js';
import { parseWhitelistFile } from '../../../src/cli/ctl/whitelist-file.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

t.test('the byte order mark is no part of a text', async (t) => {
  t.equal(decodeText(Buffer.from('\ufeffcorrect horse\n'), 'standard input'), 'correct horse\n');
});

t.test('UTF-16 of either order is refused with what to do', async (t) => {
  const little = Buffer.from('\ufeffcorrect horse', 'utf16le');
  for (const bytes of [little, Buffer.from(little).swap16()]) {
    t.throws(() => decodeText(bytes, 'standard input'), {
      code: 'usage',
      message: 'standard input is in UTF-16',
      hint: 'save it as UTF-8',
    });
  }
});

t.test('lines of a whitelist file have what copying adds to a Tox ID', async (t) => {
  const text = decodeText(Buffer.from(`\ufefftox:${ID} ci\r\n\u200b${ID.toLowerCase()}\u00a0laptop\n`), 'clients');
  t.same(parseWhitelistFile(text, 'clients'), [
    { id: ID, name: 'ci' },
    { id: ID.toLowerCase(), name: 'laptop' },
  ]);
});
