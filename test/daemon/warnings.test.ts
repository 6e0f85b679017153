import t from 'tap';
import { type HealthFacts, healthOf } from '../../src/daemon/warnings.js';

const GOOD: HealthFacts = {
  owner: 'system',
  stateErrors: [],
  admission: 'restricted',
  whitelist: { isOn: true, entries: 1 },
  pending: 0,
  rulesError: undefined,
  addressError: undefined,
  forwards: { error: undefined, waiting: 0 },
  saveError: undefined,
  proxyError: undefined,
  network: {
    state: 'online',
    udp: 'works',
    hasBootstrapNodes: true,
    bootstrapNodes: { known: 2, answering: 2, unresolved: [] },
    age: 100,
  },
  configuration: { isStale: false, reloadError: undefined, needRestart: [] },
  httpError: undefined,
};
const network = (part: Partial<HealthFacts['network']>): Partial<HealthFacts> => ({
  network: { ...GOOD.network, ...part },
});
const configuration = (part: Partial<HealthFacts['configuration']>): Partial<HealthFacts> => ({
  configuration: { ...GOOD.configuration, ...part },
});

t.test('a daemon of a user that admits nobody is a client, and so in good health', async (t) => {
  const closed = { ...GOOD, owner: 'user', admission: 'closed', whitelist: { isOn: false, entries: 0 } } as const;
  const { health, warnings } = healthOf(closed);
  t.equal(health, 'ok');
  t.match(warnings, [{ code: 'closed' }]);
  const { warnings: restart } = healthOf({ ...GOOD, owner: 'user', ...configuration({ needRestart: ['user'] }) });
  t.match(restart[0]?.hint, /systemctl --user restart tuntox/);
});

t.test('there are no warnings when all is well', async (t) => {
  t.same(healthOf(GOOD), { health: 'ok', warnings: [] });
});

const CASES: readonly [code: string, isDegraded: boolean, facts: Partial<HealthFacts>, text: RegExp][] = [
  [
    'closed',
    true,
    { admission: 'closed', whitelist: { isOn: false, entries: 0 } },
    /neither.*whitelist add ID, or .*rotate/,
  ],
  [
    'closed',
    true,
    { admission: 'closed', whitelist: { isOn: true, entries: 0 } },
    /the whitelist is empty.*whitelist add ID/,
  ],
  ['closed', true, { admission: 'closed' }, /has only expired entries/],
  ['closed', true, { admission: 'closed', pending: 1 }, /tuntoxctl clients pending/],
  ['open', false, { admission: 'open' }, /^OPEN: every client/],
  ['state', true, { stateErrors: ['/x is damaged'], admission: 'closed' }, /\/x is damaged.*restart/],
  ['rules', true, { rulesError: 'no such file' }, /reach no target: no such file.*config reload/],
  ['proxy', true, { proxyError: 'the proxy is away' }, /the proxy is away/],
  ['connecting', true, network({ state: 'connecting', age: 1 }), /not yet connected to the Tox network/],
  ['offline', true, network({ state: 'offline' }), /no node .* answers.*tuntoxctl net/],
  [
    'connecting',
    true,
    network({
      state: 'connecting',
      hasBootstrapNodes: false,
      bootstrapNodes: { known: 0, answering: 0, unresolved: [] },
    }),
    /^no peer was found nearby, and no bootstrap nodes are configured, .*network\.bootstrap, or .*network\.lan_discovery/,
  ],
  ['offline', true, network({ state: 'offline', hasBootstrapNodes: false }), /no bootstrap nodes are configured/],
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
        unresolved: [{ host: 'typo.invalid', reason: 'there is no host typo.invalid' }],
      },
    }),
    /no bootstrap node could be resolved, .*: there is no host typo\.invalid.*check the names/,
  ],
  [
    'bootstrap',
    false,
    network({
      bootstrapNodes: {
        known: 2,
        answering: 2,
        unresolved: [{ host: 'typo.invalid', reason: 'there is no host typo.invalid' }],
      },
    }),
    /could not be resolved: typo\.invalid.*DNS/,
  ],
  ['udp-blocked', false, network({ udp: 'blocked' }), /relays/],
  ['not-saved', true, { saveError: 'no space' }, /no space/],
  [
    'reload',
    false,
    configuration({ reloadError: 'line 3', isStale: true }),
    /still using the previous settings: line 3/,
  ],
  ['forwards', true, { forwards: { error: 'it is damaged', waiting: 0 } }, /it is damaged.*restart/],
  ['forward-ports', false, { forwards: { error: undefined, waiting: 2 } }, /2.*forward list/],
  ['stale', false, configuration({ isStale: true }), /has changed since.*config reload/],
  ['restart', false, configuration({ needRestart: ['user', 'socket.path'] }), /user, socket\.path/],
  ['http', false, { httpError: 'no HTTP on 127.0.0.1:1' }, /no HTTP/],
];

for (const [code, isDegraded, facts, text] of CASES) {
  t.test(`the warning "${code}" says what to do: ${text.source}`, async (t) => {
    const { health, warnings } = healthOf({ ...GOOD, ...facts });
    t.same(
      warnings.map((warning) => warning.code),
      [code],
    );
    t.match(`${warnings[0]?.message} ${warnings[0]?.hint}`, text);
    t.equal(health, isDegraded ? 'degraded' : 'ok');
  });
}

t.test('without bootstrap nodes there is no warning once a peer is connected', async (t) => {
  const facts = {
    ...GOOD,
    ...network({ hasBootstrapNodes: false, bootstrapNodes: { known: 0, answering: 0, unresolved: [] } }),
  };
  t.same(healthOf(facts), { health: 'ok', warnings: [] });
});

t.test('serious warnings come first, and nodes get time to answer', async (t) => {
  const facts = {
    ...GOOD,
    ...network({ bootstrapNodes: { known: 2, answering: 1, unresolved: [] } }),
    saveError: 'no space',
  };
  t.same(
    healthOf(facts).warnings.map(({ code }) => code),
    ['not-saved', 'bootstrap'],
  );
  const young = { ...facts, saveError: undefined, network: { ...facts.network, age: 5 } };
  t.same(healthOf(young).warnings, []);
});
