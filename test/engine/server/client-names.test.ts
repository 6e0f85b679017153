import t from 'tap';
import { parseClientId, selectClient } from '../../../src/engine/server/client-names.js';
import { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ToxId } from '../../../src/tox/crypto/tox-id.js';

const key = (start: string, fill: string): PublicKey =>
  PublicKey.parse(start + fill.repeat(64 - start.length)) as PublicKey;
const LAPTOP = { publicKey: key('9F3A11C2', '1'), alias: 'laptop' };
const CI = { publicKey: key('77B0D4E1', '2'), alias: 'ci' };
const STRANGER = { publicKey: key('9F3A11', '3'), alias: undefined };
const CAFE = { publicKey: key('ABCDEF', '4'), alias: 'cafebabe' };
const ALL = [LAPTOP, CI, STRANGER, CAFE];

t.test('an alias, a unique prefix, a whole key and a whole Tox ID name a client', async (t) => {
  const id = new ToxId(CI.publicKey, Buffer.alloc(4)).toString();
  for (const [text, expected] of [
    ['laptop', LAPTOP],
    ['77b0d4', CI],
    ['77B0D4E12222', CI],
    ['9f3a113', STRANGER],
    [CI.publicKey.hex.toLowerCase(), CI],
    [id, CI],
    ['cafebabe', CAFE],
  ] as const) {
    t.equal(selectClient(text, ALL), expected, text);
  }
});

t.test('an alias has priority over digits, and a client that is listed twice keeps its alias', async (t) => {
  const other = { publicKey: key('CAFEBABE', '5'), alias: undefined };
  t.equal(selectClient('cafebabe', [...ALL, other]), CAFE);
  const twice = [{ publicKey: LAPTOP.publicKey, alias: undefined }, LAPTOP];
  t.equal(selectClient('9F3A11', twice), LAPTOP);
});

t.test('a prefix of several keys is ambiguous, and the error lists them', async (t) => {
  t.throws(() => selectClient('9F3A11', ALL), {
    code: 'ambiguous',
    message: '"9F3A11" matches 2 clients',
    hint: 'type more digits of one of them: laptop (9F3A11C2), 9F3A113333333333',
  });
});

t.test('an error about an unknown name suggests the nearest one', async (t) => {
  t.throws(() => selectClient('lpatop', ALL), { code: 'not-found', hint: 'did you mean "laptop"?' });
  t.throws(() => selectClient('77B0D5', ALL), { code: 'not-found', hint: 'did you mean "77B0D4E1"?' });
  t.throws(() => selectClient('lap', ALL), { code: 'not-found', hint: 'did you mean "laptop"?' });
  t.throws(() => selectClient('9F3A1', ALL), { code: 'not-found', message: /at least 6 digits/ });
  t.throws(() => selectClient('zzzzzzzzzzzz', ALL), { code: 'not-found', hint: undefined });
  t.throws(() => selectClient('x'.repeat(200), ALL), { message: /^.{0,110}$/ });
  t.throws(() => selectClient('E'.repeat(64), ALL), { code: 'not-found', message: /no client with the key EEEEEEEE/ });
});

t.test('an error about a Tox ID says what is wrong with it', async (t) => {
  const id = new ToxId(CI.publicKey, Buffer.alloc(4)).toString();
  t.ok(parseClientId(id).equals(CI.publicKey));
  t.ok(parseClientId(CI.publicKey.hex).equals(CI.publicKey));
  const last = id.endsWith('0') ? '1' : '0';
  for (const [text, message] of [
    [id.slice(1), /has 75/],
    [id.slice(0, 65), /76 hex digits/],
    [`${id.slice(0, 75)}${last}`, /checksum/],
    [`${CI.publicKey.hex.slice(0, 63)}g`, /64|76/],
  ] as const) {
    t.throws(() => parseClientId(text), { code: 'bad-id', message });
    if (text.length !== 75 && text.length !== 65 && !text.endsWith('g')) {
      t.throws(() => selectClient(text, ALL), { code: 'bad-id', message }, 'in a selector too');
    }
  }
});
