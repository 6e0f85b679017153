/** The real command in mid-transfer while the network changes: every byte arrives, by the way that the wire shows. */
import t from 'tap';
import { LAB_REQUIREMENTS } from '../support/lab.js';
import { requirementsMet } from '../support/requirements.js';
import { CHANGES, SHORT, Stage } from './changes.js';

t.jobs = 2;

for (const change of CHANGES) {
  t.test(change.name, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const stage = await Stage.set(t, change, SHORT);
    await change.story(stage, (isRight, what) => t.ok(isRight, what));
    await t.resolves(stage.finish(), 'every byte arrives both ways, and right');
    for (const { what, length } of stage.pauses) t.comment(`${what}: nothing came for ${length.toFixed(0)} ms`);
  });
}
