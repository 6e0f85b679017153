import t from 'tap';
import { parseWhitelistFile } from '../../../../src/cli/ctl/commands/whitelist-files.js';
import { decodeText } from '../../../../src/cli/ctl/dialogue.js';

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

t.test('a file of export may have limits', async (t) => {
  const items = [{ id: ID, rate: 5000, maxTunnels: 3 }];
  const text = JSON.stringify({ schema: 'tuntox.whitelist-export/1', items });
  t.same(parseWhitelistFile(text, 'clients.json'), items);
});

t.test('lines of a whitelist file may have what copying adds to a Tox ID', async (t) => {
  const text = decodeText(Buffer.from(`\ufefftox:${ID} ci\r\n\u200b${ID.toLowerCase()}\u00a0laptop\n`), 'clients');
  t.same(parseWhitelistFile(text, 'clients'), [
    { id: ID, name: 'ci' },
    { id: ID.toLowerCase(), name: 'laptop' },
  ]);
});
