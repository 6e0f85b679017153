import t from 'tap';
import { decodePart, encodeParts } from '../../../src/tox/packet/net-crypto-part.js';

t.test('the halves of a packet are decoded', async (t) => {
  for (const text of ['ab', 'abc', 'x'.repeat(1373)]) {
    const [first, last] = encodeParts(Buffer.from(text));
    t.same([first[0], first[1], last[0], last[1]], [5, 0, 5, 1]);
    t.ok(first.length - last.length <= 1);
    t.same(decodePart(first)?.isLast, false);
    t.same(decodePart(last)?.isLast, true);
    t.equal(`${decodePart(first)?.bytes}${decodePart(last)?.bytes}`, text);
  }
});

t.test('bytes that are no half are refused', async (t) => {
  for (const bytes of [[5], [5, 0], [5, 1], [5, 2, 7], [5, 255, 7]]) t.equal(decodePart(Buffer.from(bytes)), undefined);
});
