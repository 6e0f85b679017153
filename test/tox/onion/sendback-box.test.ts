import t from 'tap';
import { Endpoint } from '../../../src/base/endpoint.js';
import { SendbackBox } from '../../../src/tox/onion/sendback-box.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const content = { previous: Endpoint.of('192.0.2.1', 5)!, inner: Buffer.alloc(59, 7) };

function make(seed = 1): { clock: ManualClock; box: SendbackBox } {
  const clock = new ManualClock();
  return { clock, box: new SendbackBox({ clock, random: new SeededRandom(seed) }) };
}

t.test('a sendback has the size of the specification and is opened by its node', async (t) => {
  const { box } = make();
  const sendback = box.seal(content);
  t.equal(sendback.length, 118);
  t.same(box.open(sendback), content);
  t.not(box.seal(content).toString('hex'), sendback.toString('hex'), 'never twice the same');
});

t.test('neither a sendback of another node nor an altered one is opened', async (t) => {
  const sendback = make(1).box.seal(content);
  t.notOk(make(2).box.open(sendback));
  const { box } = make(3);
  const own = box.seal(content);
  own[60] = (own[60] as number) ^ 1;
  t.notOk(box.open(own));
  t.notOk(box.open(Buffer.alloc(0)));
});

t.test('a path survives the change of the key, for ten minutes', async (t) => {
  const { clock, box } = make();
  clock.advance(2 * HOUR - MINUTE);
  const sendback = box.seal(content);
  clock.advance(2 * MINUTE);
  t.same(box.open(sendback), content, 'the key has changed since');
  t.same(box.open(box.seal(content)), content, 'the new one works as well');
  clock.advance(8 * MINUTE + 1);
  t.ok(box.open(sendback) !== undefined);
  clock.advance(MINUTE);
  t.notOk(box.open(sendback));
});

t.test('no sendback is opened after a silence of hours', async (t) => {
  const { clock, box } = make();
  const sendback = box.seal(content);
  clock.advance(4 * HOUR + MINUTE);
  const later = box.open(sendback);
  clock.advance(11 * MINUTE);
  t.notOk(box.open(sendback));
  t.equal(later, undefined);
});
