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
    isAnybodyListed: true,
    hasSecretBeenUsed: true,
    isSecretUnchanged: true,
    ...more,
  });

t.test('a first secret shuts out who is on the list, unless one of both is enough', async (t) => {
  const isFirst = { hasSecretBeenUsed: false };
  t.same(lost(door('list'), door('list', 'secret'), isFirst), [LISTED]);
  t.same(lost(door('list', 'any'), door('list', 'secret', 'any'), isFirst), []);
  t.same(lost(door(), door('secret'), isFirst), []);
  t.same(lost(door('list'), door('list', 'secret'), { ...isFirst, isAnybodyListed: false }), []);
});

t.test('a first entry shuts out who has the secret alone, if anybody has come with it', async (t) => {
  t.same(lost(door('secret'), door('secret', 'list')), [SECRET]);
  t.same(lost(door('secret'), door('secret', 'list'), { hasSecretBeenUsed: false }), []);
  t.same(lost(door('secret', 'any'), door('secret', 'list', 'any')), []);
});

t.test(
  'without the secret nobody gets in where there is no list, and where one was enough, those who had it do not',
  async (t) => {
    t.same(lost(door('secret'), door(), { isAnybodyListed: false }), [SECRET]);
    t.same(lost(door('secret'), door('open'), { isAnybodyListed: false }), []);
    t.same(lost(door('secret', 'list', 'any'), door('list', 'any')), [SECRET]);
    t.same(lost(door('secret', 'list'), door('list')), []);
  },
);

t.test('without the list, those on it who do not have the secret are shut out', async (t) => {
  t.same(lost(door('secret', 'list', 'any'), door('secret', 'any')), [LISTED]);
  t.same(lost(door('secret', 'list'), door('secret')), []);
  t.same(lost(door('list'), door(), { hasSecretBeenUsed: false }), [LISTED]);
});

t.test('to ask for both where one was enough shuts out who has one', async (t) => {
  t.same(lost(door('secret', 'list', 'any'), door('secret', 'list')), [LISTED, SECRET]);
});

t.test('another secret shuts out who has the one before', async (t) => {
  t.same(lost(door('secret', 'list'), door('secret', 'list'), { isSecretUnchanged: false }), [BOTH]);
});
