/** The real command during a short outage; `make soak` has the long form, and measures the recovery. */
import t from 'tap';
import { CUT, STOP, suffer } from '../../bench/soak/outages.js';
import { LAB_REQUIREMENTS } from '../support/lab.js';
import { requirementsMet } from '../support/requirements.js';

/** ms: long enough that the server notices either. */
const DURATION = 15_000;
const UPTIME = 1_000;

t.jobs = 2;

for (const outage of [CUT, STOP]) {
  t.test(`${outage.name} for a while: old and new clients reach it again`, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const { present, newcomer } = await suffer(t, outage, { duration: DURATION, uptime: UPTIME });
    t.ok(present > 0 && newcomer > 0, 'both get the service');
    t.comment(`after ${present} and ${newcomer.toFixed(0)} ms`);
  });
}
