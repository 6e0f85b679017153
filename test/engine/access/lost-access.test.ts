import t from 'tap';
import {
  kindsLosingAccess,
  type Requirements,
  type RequirementsChange,
} from '../../../src/engine/access/lost-access.js';

const LISTED = 'clients on the whitelist that do not have the secret';
const SECRET = 'clients that have the secret and are not on the whitelist';
const BOTH = 'clients on the whitelist that have the secret';

const door = (...what: readonly ('secret' | 'list' | 'any' | 'open')[]): Requirements => ({
  hasSecret: what.includes('secret'),
  hasWhitelist: what.includes('list'),
  require: what.includes('any') ? 'any' : 'all',
  isOpen: what.includes('open'),
});

const lost = (before: Requirements, after: Requirements, more: Partial<RequirementsChange> = {}): readonly string[] =>
  kindsLosingAccess({
    before,
    after,
    isAnyClientListed: true,
    hasSecretBeenUsed: true,
    isSecretUnchanged: true,
    ...more,
  });

t.test('a first secret refuses clients on the whitelist, unless one factor is enough', async (t) => {
  const isFirst = { hasSecretBeenUsed: false };
  t.same(lost(door('list'), door('list', 'secret'), isFirst), [LISTED]);
  t.same(lost(door('list', 'any'), door('list', 'secret', 'any'), isFirst), []);
  t.same(lost(door(), door('secret'), isFirst), []);
  t.same(lost(door('list'), door('list', 'secret'), { ...isFirst, isAnyClientListed: false }), []);
});

t.test('a first entry refuses clients with only the secret, if one has used it', async (t) => {
  t.same(lost(door('secret'), door('secret', 'list')), [SECRET]);
  t.same(lost(door('secret'), door('secret', 'list'), { hasSecretBeenUsed: false }), []);
  t.same(lost(door('secret', 'any'), door('secret', 'list', 'any')), []);
});

t.test(
  'without the secret nobody gets in where there is no list, and where one was enough, those who had it do not',
  async (t) => {
    t.same(lost(door('secret'), door(), { isAnyClientListed: false }), [SECRET]);
    t.same(lost(door('secret'), door('open'), { isAnyClientListed: false }), []);
    t.same(lost(door('secret', 'list', 'any'), door('list', 'any')), [SECRET]);
    t.same(lost(door('secret', 'list'), door('list')), []);
  },
);

t.test('without the whitelist, its clients without the secret are refused', async (t) => {
  t.same(lost(door('secret', 'list', 'any'), door('secret', 'any')), [LISTED]);
  t.same(lost(door('secret', 'list'), door('secret')), []);
  t.same(lost(door('list'), door(), { hasSecretBeenUsed: false }), [LISTED]);
});

t.test('requiring both factors instead of one refuses clients with one of them', async (t) => {
  t.same(lost(door('secret', 'list', 'any'), door('secret', 'list')), [LISTED, SECRET]);
});

t.test('another secret refuses clients with the previous one', async (t) => {
  t.same(lost(door('secret', 'list'), door('secret', 'list'), { isSecretUnchanged: false }), [BOTH]);
});
