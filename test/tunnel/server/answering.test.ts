import t from 'tap';
import { isAnswering } from '../../../src/tunnel/server/answering.js';
import { TunnelError } from '../../../src/tunnel/wire/reasons.js';
import { ManualClock } from '../../support/manual-clock.js';
import { channelPair } from '../../tunnel/support/channel-pair.js';

/** A peer, and what is known of it. */
class Asked {
  readonly clock = new ManualClock();
  /** When the peer sent something last, ms. */
  sentAt = 0;
  pings = 0;
  answer: boolean | undefined;

  /** @param silence ms for which the peer has been silent */
  ask(silence: number): void {
    this.clock.advance(silence);
    const channel = channelPair().server;
    Object.defineProperty(channel, 'silence', { get: () => this.clock.now() - this.sentAt });
    const ping = async (): Promise<number> => {
      this.pings += 1;
      throw new TunnelError('timeout');
    };
    void isAnswering(this.clock, { channel, ping }).then((answer) => {
      this.answer = answer;
    });
  }

  /** Lets time pass, as the event loop does. */
  async pass(duration: number): Promise<void> {
    for (let left = duration; left > 0; left -= 100) {
      this.clock.advance(100);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

t.test('a peer that sends something after the question answers, and is asked by a ping', async (t) => {
  const asked = new Asked();
  asked.ask(1_000);
  await asked.pass(1_000);
  t.equal(asked.answer, undefined);
  asked.sentAt = asked.clock.now();
  await asked.pass(500);
  t.equal(asked.answer, true);
  t.equal(asked.pings, 1);
});

t.test('a peer does not answer that has sent nothing for 5 s', async (t) => {
  const asked = new Asked();
  asked.ask(1_000);
  await asked.pass(3_900);
  t.equal(asked.answer, undefined);
  await asked.pass(600);
  t.equal(asked.answer, false);
});

t.test('a peer that has been silent for long has two seconds to answer', async (t) => {
  const [dead, alive] = [new Asked(), new Asked()];
  for (const one of [dead, alive]) {
    one.ask(20_000);
    await one.pass(1_900);
    t.equal(one.answer, undefined);
  }
  alive.sentAt = alive.clock.now();
  for (const one of [dead, alive]) await one.pass(200);
  t.same([dead.answer, alive.answer], [false, true]);
});
