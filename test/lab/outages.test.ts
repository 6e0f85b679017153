/** The real command over an outage, in short; `make soak` has the long form, and says how long the recovery takes. */
import t from 'tap';
import { CUT, STOP, suffer } from '../../bench/soak/outages.js';
import { LAB_REQUIREMENTS } from '../support/lab.js';
import { requirementsMet } from '../support/requirements.js';

/** ms: longer than anything takes for a mere delay, and for the cut long enough that the server sees that it is offline. */
const DURATION = 20_000;
const UPTIME = 2_000;

t.jobs = 2;

for (const outage of [CUT, STOP]) {
  t.test(`${outage.name} for a while: old and new clients reach it again`, { buffered: true }, async (t) => {
    if (!requirementsMet(t, ...LAB_REQUIREMENTS)) return;
    const { present, newcomer, before } = await suffer(t, outage, { duration: DURATION, uptime: UPTIME });
    t.ok(present > 0 && newcomer > 0, 'both get the service');
    t.comment(`after ${present} ms and ${newcomer.toFixed(0)} ms; before: ${before.toFixed(0)} ms`);
  });
}
