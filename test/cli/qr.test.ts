import t from 'tap';
import { qrLines } from '../../src/cli/qr.js';
import { codeIn, readQrCode, ZBAR } from '../support/qr-code.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';
const LINK = `tuntox://${ID}/abcdefghijkmnpqrstuv`;

t.test('a decoder reads every code back, with and without colours, and it fits 80 columns', async (t) => {
  if (!requirementsMet(t, ZBAR)) return;
  const directory = temporaryDirectory(t);
  const texts = [ID, LINK, `${LINK}/127.0.0.1:22`, `${LINK}/2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:65535`];
  for (const text of [...texts, `${LINK}/${'long.'.repeat(20)}example:8080`]) {
    for (const hasColour of [false, true]) {
      const lines = codeIn((await qrLines(text, hasColour)).join('\n'));
      t.equal(readQrCode(lines, directory), text);
      t.ok((lines[0] ?? '').length <= 80, `${lines[0]?.length} columns`);
    }
  }
});
