import t from 'tap';
import { type Links, RemoteForward } from '../../../src/tunnel/client/remote-forward.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const SPEC = {
  kind: 'reverse',
  at: { kind: 'port', bind: '127.0.0.1', port: 8080 },
  target: { host: '127.0.0.1', port: 80 },
} as const;

/** How often a peer is asked in ten minutes that opens the port and closes it again. @param open ms */
function asksOf(open: number): number {
  const clock = new ManualClock();
  let asks = 0;
  const links: Links = {
    present: {
      ask: (_, { onListening, onEnded }) => {
        asks += 1;
        onListening(8080);
        clock.after(open, () => onEnded('failed'));
        return () => {};
      },
    },
    onNext: () => () => {},
  };
  const forward = new RemoteForward({ clock, random: new SeededRandom(1), links }, { spec: SPEC });
  clock.advance(600_000);
  forward.close();
  return asks;
}

t.test(
  'a peer that closes the port at once is asked less and less often, and one that kept it for long soon',
  async (t) => {
    const [atOnce, later] = [asksOf(0), asksOf(60_000)];
    t.ok(atOnce < 40, `${atOnce} times`);
    t.ok(later >= 9, `${later} times`);
  },
);
