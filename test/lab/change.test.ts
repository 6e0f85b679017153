/** The real command in mid-transfer while the network changes: every byte arrives, by the way that the wire shows. */
import t, { type Test } from 'tap';
import { LAB_REQUIREMENTS } from '../support/lab.js';
import { requirementsMet } from '../support/requirements.js';
import { CHANGES, type Change, SHORT, Stage } from './changes.js';

/** Bytes in a look at the wire: what a way carries that is in use, and what the others may carry. */
const MUCH = 200_000;
const LITTLE = 50_000;

t.jobs = 2;

function changeTest(change: Change, check?: (t: Test, stage: Stage) => Promise<void>): void {
  t.test(change.name, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const stage = await Stage.set(t, change, SHORT);
    await change.story(stage);
    await check?.(t, stage);
    await t.resolves(stage.finish(), 'every byte arrives both ways, and right');
    for (const { what, length } of stage.pauses) t.comment(`${what}: nothing came for ${length.toFixed(0)} ms`);
  });
}

for (const change of CHANGES) changeTest(change);

t.test('UDP is blocked and opened again: a relay carries on, and only meanwhile', { buffered: true }, async (t) => {
  if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
  const change: Change = { name: '', options: { topology: 'nat' }, relays: ['hub'], story: async () => {} };
  const stage = await Stage.set(t, change, SHORT);
  const sum = (relayed: ReadonlyMap<string, number>): number => [...relayed.values()].reduce((a, b) => a + b, 0);
  await stage.after('UDP blocked', stage.lab.blockUdp('alice'));
  const blocked = await stage.routes();
  t.ok(sum(blocked.relayed) > MUCH, `${sum(blocked.relayed)} bytes by the relay`);
  t.equal(blocked.direct, 0, 'none directly');
  await stage.after('UDP opened', stage.lab.unblockUdp('alice'));
  await stage.goOn();
  const opened = await stage.routes();
  t.ok(opened.direct > MUCH, `${opened.direct} bytes directly`);
  t.ok(sum(opened.relayed) < LITTLE, `${sum(opened.relayed)} by the relay`);
  await t.resolves(stage.finish(), 'every byte arrives both ways, and right');
  for (const { what, length } of stage.pauses) t.comment(`${what}: nothing came for ${length.toFixed(0)} ms`);
});
