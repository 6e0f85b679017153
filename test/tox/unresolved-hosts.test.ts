import t from 'tap';
import { silentLogger } from '../../src/base/logger.js';
import { UnresolvedHosts } from '../../src/tox/unresolved-hosts.js';
import { ManualClock } from '../support/manual-clock.js';

function start() {
  const clock = new ManualClock();
  const said: string[] = [];
  const hosts = new UnresolvedHosts({ clock, log: { ...silentLogger, warn: (text) => void said.push(text) } });
  return { clock, hosts, said };
}

t.test('names without an address are logged in one line, and only once', async (t) => {
  const { clock, hosts, said } = start();
  for (let round = 0; round < 5; round += 1) {
    for (const host of ['a.invalid', 'b.invalid', 'c.invalid', 'd.invalid']) hosts.failed(host, `cannot find ${host}`);
    clock.advance(15_000);
  }
  t.same(said, [
    '4 bootstrap nodes have no address: a.invalid, b.invalid, c.invalid and 1 more (cannot find a.invalid); check the names, and that the name servers answer',
  ]);
  t.equal(hosts.all.length, 4);
});

t.test('a name that gets an address is removed, and logged again when it loses it', async (t) => {
  const { clock, hosts, said } = start();
  hosts.failed('a.invalid', 'no name server');
  clock.advance(3_000);
  hosts.resolved('a.invalid');
  clock.advance(10_000);
  t.same(said, [], 'it was only late');
  t.same(hosts.all, []);
  hosts.failed('a.invalid', 'no name server');
  clock.advance(10_000);
  hosts.resolved('a.invalid');
  hosts.failed('a.invalid', 'no name server');
  clock.advance(10_000);
  t.equal(said.length, 2);
});
