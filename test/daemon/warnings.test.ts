import t from 'tap';
import { type HealthFacts, healthOf } from '../../src/daemon/warnings.js';

const GOOD: HealthFacts = {
  stateFaults: [],
  door: 'guarded',
  whitelist: { isOn: true, entries: 1 },
  rulesFault: undefined,
  saveFault: undefined,
  proxyFault: undefined,
  network: {
    state: 'online',
    udp: 'works',
    hasBootstrapNodes: true,
    bootstrapNodes: { known: 2, answering: 2, unresolved: [] },
    age: 100,
  },
  configuration: { isStale: false, reloadFault: undefined, needRestart: [] },
  httpFault: undefined,
};
const network = (part: Partial<HealthFacts['network']>): Partial<HealthFacts> => ({
  network: { ...GOOD.network, ...part },
});
const configuration = (part: Partial<HealthFacts['configuration']>): Partial<HealthFacts> => ({
  configuration: { ...GOOD.configuration, ...part },
});

t.test('nothing to say when all is well', async (t) => {
  t.same(healthOf(GOOD), { health: 'ok', warnings: [] });
});

const CASES: readonly [code: string, isDegraded: boolean, facts: Partial<HealthFacts>, text: RegExp][] = [
  [
    'closed',
    true,
    { door: 'closed', whitelist: { isOn: false, entries: 0 } },
    /neither.*whitelist add ID, or .*rotate/,
  ],
  ['closed', true, { door: 'closed', whitelist: { isOn: true, entries: 0 } }, /is on and empty.*whitelist add ID/],
  ['closed', true, { door: 'closed' }, /has no entry that has not expired/],
  ['open', false, { door: 'open' }, /OPEN TO EVERYBODY/],
  ['state', true, { stateFaults: ['/x is damaged'], door: 'closed' }, /\/x is damaged.*restart/],
  ['rules', true, { rulesFault: 'no such file' }, /reach nothing: no such file.*config reload/],
  ['proxy', true, { proxyFault: 'the proxy is away' }, /the proxy is away/],
  ['connecting', true, network({ state: 'connecting', age: 1 }), /not in the Tox network yet/],
  ['offline', true, network({ state: 'offline' }), /no node .* answers.*tuntoxctl net/],
  [
    'connecting',
    true,
    network({
      state: 'connecting',
      hasBootstrapNodes: false,
      bootstrapNodes: { known: 0, answering: 0, unresolved: [] },
    }),
    /^no other peer is near, and there are no bootstrap nodes to ask, .*network\.bootstrap, or .*network\.lan_discovery/,
  ],
  ['offline', true, network({ state: 'offline', hasBootstrapNodes: false }), /there are no bootstrap nodes to ask/],
  [
    'bootstrap',
    false,
    network({ bootstrapNodes: { known: 8, answering: 5, unresolved: [] } }),
    /3 of 8 bootstrap nodes do not answer/,
  ],
  [
    'offline',
    true,
    network({
      state: 'offline',
      bootstrapNodes: {
        known: 0,
        answering: 0,
        unresolved: [{ host: 'typo.invalid', reason: 'nobody knows typo.invalid' }],
      },
    }),
    /no bootstrap node has an address, .*nobody finds us: nobody knows typo\.invalid.*check the names/,
  ],
  [
    'bootstrap',
    false,
    network({
      bootstrapNodes: {
        known: 2,
        answering: 2,
        unresolved: [{ host: 'typo.invalid', reason: 'nobody knows typo.invalid' }],
      },
    }),
    /without an address: typo\.invalid.*name servers/,
  ],
  ['udp-blocked', false, network({ udp: 'blocked' }), /relays/],
  ['not-saved', true, { saveFault: 'no space' }, /no space/],
  ['reload', false, configuration({ reloadFault: 'line 3', isStale: true }), /used still: line 3/],
  ['stale', false, configuration({ isStale: true }), /has changed since.*config reload/],
  ['restart', false, configuration({ needRestart: ['user', 'socket.path'] }), /user, socket\.path/],
  ['http', false, { httpFault: 'no HTTP on 127.0.0.1:1' }, /no HTTP/],
];

for (const [code, isDegraded, facts, text] of CASES) {
  t.test(`says "${code}" and what to do: ${text.source}`, async (t) => {
    const { health, warnings } = healthOf({ ...GOOD, ...facts });
    t.same(
      warnings.map((warning) => warning.code),
      [code],
    );
    t.match(`${warnings[0]?.message} ${warnings[0]?.hint}`, text);
    t.equal(health, isDegraded ? 'degraded' : 'ok');
  });
}

t.test('without bootstrap nodes nothing is missed once somebody is there', async (t) => {
  const facts = {
    ...GOOD,
    ...network({ hasBootstrapNodes: false, bootstrapNodes: { known: 0, answering: 0, unresolved: [] } }),
  };
  t.same(healthOf(facts), { health: 'ok', warnings: [] });
});

t.test('the serious ones come first, and nodes get time to answer', async (t) => {
  const facts = {
    ...GOOD,
    ...network({ bootstrapNodes: { known: 2, answering: 1, unresolved: [] } }),
    saveFault: 'no space',
  };
  t.same(
    healthOf(facts).warnings.map(({ code }) => code),
    ['not-saved', 'bootstrap'],
  );
  const young = { ...facts, saveFault: undefined, network: { ...facts.network, age: 5 } };
  t.same(healthOf(young).warnings, []);
});
