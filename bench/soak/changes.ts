/** Long transfers both ways in the lab (test/lab) while the network under them changes: how long each change stops them. */
import { messageOf } from '../../src/base/coded-error.js';
import { CHANGES, Stage, WHOLE } from '../../test/lab/changes.js';
import { LAB_REQUIREMENTS } from '../../test/support/lab.js';
import { showProgress } from '../support/progress.js';
import { Series } from './watch.js';

export interface ChangesReport {
  /** One for each thing that happened: seconds in which nothing came. */
  readonly pauses: readonly Series[];
  readonly failures: readonly string[];
  /** Why nothing was done. */
  readonly leftOut: string | undefined;
}

/** Every story of test/lab/changes.ts at its full length: 200 MiB each way, outages of 20 s. */
export async function endureChanges(): Promise<ChangesReport> {
  const missing = LAB_REQUIREMENTS.filter(({ isMet }) => !isMet).map(({ reason }) => reason);
  if (missing.length > 0) return { pauses: [], failures: [], leftOut: missing.join('; ') };
  const pauses: Series[] = [];
  const failures: string[] = [];
  for (const change of CHANGES) {
    showProgress(`transfers while the network changes: ${change.name}`);
    const downs: (() => Promise<void>)[] = [];
    try {
      const stage = await Stage.set({ teardown: (down) => downs.push(down) }, change, WHOLE);
      await change.story(stage, (isRight, what) => {
        if (!isRight) failures.push(`${change.name}: not ${what}`);
      });
      await stage.finish();
      for (const { what, length } of stage.pauses) {
        const series = new Series(`${what} in mid-transfer: nothing came`, 's', Number.POSITIVE_INFINITY);
        series.add(length / 1000);
        pauses.push(series);
      }
    } catch (error) {
      failures.push(`${change.name}: ${messageOf(error)}`);
    } finally {
      for (const down of downs) await down();
    }
  }
  return { pauses, failures, leftOut: undefined };
}
