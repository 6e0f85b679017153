import t from 'tap';
import { descriptorLimit, descriptorShares, parseLimits } from '../../src/base/descriptor-shares.js';

const line = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 4096                 files\n`;

t.test('the soft limit of open files is read', async (t) => {
  t.equal(parseLimits(line('1024')), 1024);
  t.equal(parseLimits(line('unlimited')), Number.POSITIVE_INFINITY);
  t.equal(parseLimits('nothing of the kind'), undefined);
});

t.test('this process has a limit', async (t) => {
  t.ok(descriptorLimit() > 64);
});

t.test('the process itself has a quarter, and all shares together never exceed the limit', async (t) => {
  t.same(descriptorShares(1_024), { tunnels: 512, attempts: 64, relayClients: 256, relays: 128 });
  t.same(descriptorShares(64), { tunnels: 11, attempts: 12, relayClients: 5, relays: 64 });
  t.match(descriptorShares(65_536), { tunnels: 43_008, relayClients: 21_504, relays: 512 });
  for (const limit of [64, 256, 1_024, 4_096, 1_048_576]) {
    const { tunnels, relayClients } = descriptorShares(limit);
    t.ok(tunnels + relayClients <= limit - 48, `${limit}`);
  }
  t.match(descriptorShares(Number.POSITIVE_INFINITY), { tunnels: Number.POSITIVE_INFINITY, relays: 512 });
  t.equal(descriptorShares(16).tunnels, 1, 'less than it needs for itself');
});
