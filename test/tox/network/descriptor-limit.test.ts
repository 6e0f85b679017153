import t from 'tap';
import { descriptorLimit, parseLimits } from '../../../src/tox/network/descriptor-limit.js';

const line = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units\nMax open files            ${soft}                 4096                 files\n`;

t.test('the soft limit of open files is read', async (t) => {
  t.equal(parseLimits(line('1024')), 1024);
  t.equal(parseLimits(line('unlimited')), Number.POSITIVE_INFINITY);
  t.equal(parseLimits('nothing of the kind'), undefined);
});

t.test('this process has one', async (t) => {
  t.ok(descriptorLimit() > 64);
});
