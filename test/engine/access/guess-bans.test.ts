import t from 'tap';
import { silentLogger } from '../../../src/base/logger.js';
import { FixedFactors } from '../../../src/engine/access/access-factors.js';
import { AccessPolicy, friendRequestMessage } from '../../../src/engine/access/access-policy.js';
import { GuessBans } from '../../../src/engine/access/guess-bans.js';
import { generateKeyPair } from '../../../src/tox/crypto/key-pair.js';
import type { PublicKey } from '../../../src/tox/crypto/keys.js';
import { ManualClock } from '../../support/manual-clock.js';
import { SeededRandom } from '../../support/seeded-random.js';

const random = new SeededRandom(7);
const SECRET = Buffer.from('correct horse');

interface Banned {
  readonly key: PublicKey;
  readonly reason: string;
  readonly until: number;
}

const nameOf = (key: PublicKey): string => `key ${key.short}`;

class Door {
  readonly clock = new ManualClock();
  readonly banned: Banned[] = [];
  /** In memory. */
  readonly banInMemory: Banned[] = [];
  readonly log: string[] = [];
  isFull = false;
  readonly #policy: AccessPolicy;

  constructor() {
    const { clock } = this;
    const log = { ...silentLogger, error: (text: string) => void this.log.push(text) };
    const ban = async (key: PublicKey, reason: string, until: number): Promise<void> => {
      if (this.isFull) throw new Error('no space left');
      this.banned.push({ key, reason, until });
    };
    const banInMemory = (key: PublicKey, reason: string, until: number): void =>
      void this.banInMemory.push({ key, reason, until });
    const factors = new FixedFactors({ random }, { secret: SECRET, whitelist: [], isInsecureOpen: false });
    this.#policy = new AccessPolicy(factors, new GuessBans({ clock, log, ban, banInMemory, nameOf }).onWrong);
  }

  /** So many different secrets, each as soon as it is looked at. */
  guess(key: PublicKey, count: number): void {
    for (let guess = 0; guess < count; guess += 1) {
      this.clock.advance(120_000);
      const message = friendRequestMessage(Buffer.from(`horse ${guess}`));
      this.#policy.decide({ publicKey: key, message }, this.clock.now(), () => {});
    }
  }
}

const newKey = (): PublicKey => generateKeyPair(random).publicKey;

t.test('a client that sends twelve different wrong secrets is banned for an hour', async (t) => {
  const door = new Door();
  const key = newKey();
  door.guess(key, 11);
  t.same(door.banned, []);
  door.guess(key, 12);
  t.match(door.banned[0], { key, reason: '12 wrong secrets', until: door.clock.unixTime() + 3600 });
});

t.test('the same wrong secret again and again bans no client, because clients repeat their requests', async (t) => {
  const door = new Door();
  const key = newKey();
  for (let time = 0; time < 100; time += 1) door.guess(key, 1);
  t.same(door.banned, []);
});

t.test('thousands of keys do not cause thousands of writes', async (t) => {
  const door = new Door();
  const bans = new GuessBans({
    clock: door.clock,
    log: silentLogger,
    ban: async (key, reason, until) => void door.banned.push({ key, reason, until }),
    banInMemory: () => t.fail(),
    nameOf,
  });
  for (let count = 0; count < 1_000; count += 1) bans.onWrong(newKey(), 12);
  t.equal(door.banned.length, 20);
  door.clock.advance(10_000);
  for (let count = 0; count < 1_000; count += 1) bans.onWrong(newKey(), 12);
  t.equal(door.banned.length, 22);
});

t.test('hours of bans are summed up in the log, those that could not be saved too', async (t) => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  const log = { ...silentLogger, warn: say, error: say };
  const ban = async (): Promise<void> => {
    throw new Error('no space left');
  };
  let banInMemory = 0;
  const count = (): void => {
    banInMemory += 1;
  };
  const bans = new GuessBans({ clock, log, ban, banInMemory: count, nameOf });
  for (let time = 0; time < 720; time += 1) {
    bans.onWrong(newKey(), 12);
    await Promise.resolve();
    clock.advance(5_000);
  }
  t.match(lines[0], /^key [0-9A-F]{8}: banned for an hour, after 12 wrong secrets$/, 'as its owner calls it');
  t.equal(banInMemory, 720);
  t.ok(lines.length <= 20 + 60, `${lines.length} lines in an hour`);
  t.equal(lines.at(-1), 'strangers: in the last minute also 12 keys banned, 12 bans not saved');
  bans.close();
  t.equal(clock.pending, 0);
});

t.test('a ban that cannot be saved is an error in the log, and stays in memory', async (t) => {
  const door = new Door();
  door.isFull = true;
  const key = newKey();
  door.guess(key, 12);
  await Promise.resolve();
  t.same(door.log, ['no space left']);
  t.match(door.banInMemory, [{ key, reason: '12 wrong secrets', until: door.clock.unixTime() + 3600 }]);
});
