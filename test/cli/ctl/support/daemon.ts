/** A daemon for tests of tuntoxctl: a real control socket, with answers out of a script. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { rfc3339, systemClock } from '../../../../src/base/clock.js';
import { silentLogger } from '../../../../src/base/logger.js';
import type { MethodHandlers, Result } from '../../../../src/control/protocol.js';
import { ControlServer } from '../../../../src/control/server.js';
import { temporaryDirectory } from '../../../support/temporary-directory.js';

export const KEYS = {
  laptop: `9f3a11c2${'1'.repeat(56)}`,
  ci: `77b0d4e1${'2'.repeat(56)}`,
  unnamed: `abcdef01${'3'.repeat(56)}`,
} as const;
export const TOX_ID = `5A40C344${'0'.repeat(63)}C4054`;

const DAY = 86_400;
const EARLIER = rfc3339(1);
export const now = (): number => systemClock.unixTime();

export const laptop = { publicKey: KEYS.laptop, name: 'laptop' } as const;
const ci = { publicKey: KEYS.ci, name: 'ci' } as const;
/** A client without a name, and one with the longest name. */
const unnamed = { publicKey: KEYS.unnamed, name: null } as const;
const longest = { publicKey: KEYS.unnamed, name: `A${'b'.repeat(31)}` } as const;

const direct = { kind: 'direct', since: EARLIER, address: '198.51.100.7:33445' } as const;
const relayed = {
  kind: 'relayed',
  since: EARLIER,
  address: '203.0.113.9:443',
  reason: 'peer-tcp-only',
} as const;

export type Connection = Result<'connections.list'>['connections'][number];

export const base: Connection = {
  id: 'c-17',
  kind: 'tunnel',
  client: laptop,
  target: { host: '127.0.0.1', port: 22 },
  state: 'open',
  path: direct,
  roundTripMs: 23.4,
  ageMs: 72 * 60_000,
  bytesReceived: 4_300_000,
  bytesSent: 901_000,
  localPort: 40_022,
};

export const connections: readonly Connection[] = [
  base,
  {
    ...base,
    id: 'c-22',
    client: ci,
    target: { host: '10.0.0.5', port: 443 },
    state: 'connecting',
    path: relayed,
    roundTripMs: 180.2,
    ageMs: 3_000,
    localPort: null,
  },
];

export const longConnections: readonly Connection[] = [
  ...connections,
  {
    ...base,
    id: 'c-81920',
    client: longest,
    target: { host: '2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff', port: 65_535 },
    path: {
      ...relayed,
      reason: 'no hole could be punched: the client is behind a NAT that gives each target another port',
    },
    roundTripMs: 999.2,
    ageMs: (23 * 60 + 59) * 60_000,
    bytesReceived: 999 * 1024 * 1024,
    bytesSent: 999 * 1024 * 1024,
  },
  {
    ...base,
    id: 'c-81921',
    client: unnamed,
    target: { host: `${'very-long-name.'.repeat(8)}example`, port: 443 },
    path: { kind: 'none', since: EARLIER, reason: 'it went away' },
    roundTripMs: null,
  },
];

export function status(changes: Partial<Result<'status'>> = {}): Result<'status'> {
  return {
    schema: 'tuntox.status/1',
    health: 'ok',
    warnings: [],
    daemon: {
      version: '1.0.0',
      state: 'running',
      pid: 812,
      startedAt: rfc3339(now() - 3 * DAY),
      uptimeMs: 76 * 3_600_000,
      configFile: '/etc/tuntox/tuntox.yaml',
      logLevel: 'info',
      memoryBytes: 70_000_000,
    },
    identity: { toxId: TOX_ID, publicKey: KEYS.laptop, path: '/etc/tuntox/tox_save' },
    network,
    access: {
      secret: { set: true, changedAt: rfc3339(now() - 12 * DAY), previousValidUntil: null },
      whitelist: { enabled: true, entries: 4, expired: 0 },
      invitations: 0,
      require: 'all',
      open: false,
      closed: false,
      targets: 'any',
    },
    sessions: { clients: 2, tunnels: 5, bytesReceived: 1_288_490_188, bytesSent: 325_058_560 },
    refusals: { last24Hours: { 'wrong-secret': 12, 'not-whitelisted': 2 }, banned: 1, pending: 2 },
    ...changes,
  };
}

export const bootstrapWarning = {
  code: 'bootstrap',
  message: '3 of 8 bootstrap nodes do not answer',
  hint: 'tuntoxctl net',
} as const;

export const network: Result<'status'>['network'] = {
  state: 'online',
  since: rfc3339(now() - 76 * 3_600),
  udp: 'works',
  udpPort: 33_445,
  udpSocket: 'native',
  relayPort: 33_445,
  relayClients: 1,
  bytesRelayed: 47_185_920,
  proxy: null,
  seenAt: ['192.0.2.4:33445', '[2001:db8::4]:33445'],
  portMapping: { external: '192.0.2.4:33445', protocol: 'PCP' },
  bootstrapNodes: { known: 8, answering: 5, unresolved: [] },
  relays: [{ publicKey: KEYS.ci, address: '203.0.113.9:443' }],
};

export const entry = (changes: object = {}): Result<'whitelist.list'>['entries'][number] => ({
  ...laptop,
  allow: ['127.0.0.1:22'],
  allowReverse: [],
  rate: null,
  maxTunnels: null,
  expiresAt: rfc3339(now() + 30 * DAY + 60),
  note: '',
  addedAt: rfc3339(now() - DAY),
  expired: false,
  invited: false,
  ...changes,
});

export const invitation = (changes: object = {}): Result<'invite.list'>['invitations'][number] => ({
  id: 'kqzrt',
  name: 'laptop',
  allow: ['127.0.0.1:22'],
  allowReverse: [],
  rate: null,
  maxTunnels: null,
  state: 'open',
  createdAt: rfc3339(now() - 60),
  expiresAt: rfc3339(now() + 600),
  uses: 1,
  accessMs: 30 * DAY * 1000,
  redeemed: [],
  late: [],
  ...changes,
});

const invitationLink: Result<'invite.create'>['link'] = {
  link: `tuntox://${TOX_ID}/abcdefghijkmnpqrstuv/127.0.0.1:22`,
  words: Array(8).fill('mushroom universe favorite absolute business question'),
  commands: {
    join: `tuntox join tuntox://${TOX_ID}/abcdefghijkmnpqrstuv/127.0.0.1:22 nas`,
    words: 'tuntox join - nas',
    original: `tuntox -i ${TOX_ID} -s abcdefghijkmnpqrstuv -L 10022:127.0.0.1:22`,
  },
};

export const client = (changes: object = {}): Result<'clients.list'>['clients'][number] => ({
  client: laptop,
  online: true,
  since: rfc3339(now() - 3 * DAY),
  admittedBy: 'secret-and-whitelist',
  admittedAt: rfc3339(now() - 4 * DAY),
  path: direct,
  roundTripMs: 23.4,
  bytesReceivedPerSecond: 1_000,
  bytesSentPerSecond: 12_345,
  bytesReceived: 4_300_000,
  bytesSent: 901_000,
  tunnels: 1,
  loopbackAddress: null,
  lastError: { at: rfc3339(now() - 60), message: 'the target 127.0.0.1:80 refused the connection' },
  ...changes,
});

export const clients = (): Result<'clients.list'>['clients'] => [
  client(),
  client({
    client: longest,
    path: relayed,
    roundTripMs: 1_800,
    admittedBy: 'secret',
    since: rfc3339(now() - 9 * DAY - 9_000),
  }),
  client({ client: unnamed, online: false, roundTripMs: null }),
];

const WORDS = 'canal brave ivory mango slim zebra';

export const pending: Result<'clients.pending'>['clients'] = [
  {
    client: unnamed,
    words: WORDS,
    firstAt: rfc3339(now() - 3_600),
    lastAt: rfc3339(now() - 2_400),
    requests: 1,
    reason: 'not-whitelisted',
    sentSecret: false,
    via: { kind: 'other' },
  },
  {
    client: laptop,
    words: 'abandon ability able about above absent',
    firstAt: rfc3339(now() - 600),
    lastAt: rfc3339(now() - 20),
    requests: 14,
    reason: 'expired',
    sentSecret: true,
    via: { kind: 'node', address: '192.168.1.7:33445', local: true },
  },
  {
    client: longest,
    words: 'mushroom universe favorite absolute business question',
    firstAt: rfc3339(now() - 600),
    lastAt: rfc3339(now() - 10),
    requests: 3,
    reason: 'a-reason-of-a-later-daemon',
    sentSecret: false,
    via: { kind: 'relay', publicKey: KEYS.ci },
  },
];

const change = (changes: Partial<Result<'whitelist.add'>>): Result<'whitelist.add'> => ({
  schema: 'tuntox.whitelist-change/1',
  added: [],
  changed: [],
  removed: [],
  closedTunnels: 0,
  notes: [],
  ...changes,
});

const secretChange = (changes: Partial<Result<'secret.set'>>): Result<'secret.set'> => ({
  schema: 'tuntox.secret-change/1',
  changed: true,
  secret: null,
  previousValidUntil: null,
  closedTunnels: 0,
  notes: ['4 clients of the whitelist need the new secret as well'],
  ...changes,
});

const settings: Result<'config.show'>['settings'] = [
  { key: 'state_dir', value: '/etc/tuntox', source: 'default' },
  { key: 'network.bootstrap', value: [`192.0.2.1:33445:${'F4'.repeat(32)}`], source: 'file' },
  { key: 'access.secret_file', value: '[set]', source: 'environment' },
  { key: 'network.proxy', value: null, source: 'default' },
];

const forward = (changes: Partial<Result<'forwards.add'>['forward']> = {}): Result<'forwards.add'>['forward'] => ({
  kind: 'local',
  bind: '127.0.0.1',
  port: 8080,
  socket: null,
  target: '127.0.0.1:80',
  server: { publicKey: KEYS.laptop, name: 'nas' },
  state: 'connected',
  path: 'direct',
  roundTripMs: 23,
  error: null,
  tunnels: 2,
  tunnelsOpened: 1_204,
  bytesSent: 880_000,
  bytesReceived: 4_300_000_000,
  addedAt: rfc3339(now() - DAY),
  ...changes,
});
const NOT_FOUND = 'nas has not been found for 12 s: check that it runs and is online, and that its Tox ID is right';

const forwardChange = (changes: Partial<Result<'forwards.add'>>): Result<'forwards.add'> => ({
  schema: 'tuntox.forward-change/1',
  forward: forward(),
  closedTunnels: 0,
  notes: [],
  ...changes,
});

const service = (name = 'ssh', port = 22): Result<'services.add'>['service'] => ({
  name,
  target: { host: '127.0.0.1', port },
  proxyProtocol: false,
  addedAt: rfc3339(now() - DAY),
});

/** What a daemon without any trouble answers. */
export const HANDLERS: MethodHandlers = {
  status: () => status(),
  'services.list': () => ({ schema: 'tuntox.services/1', services: [service(), service('web', 80)], only: true }),
  'services.add': ({ name }) => ({
    schema: 'tuntox.service-change/1',
    service: service(name),
    closedTunnels: 0,
    notes: ['from now on clients reach the services only; to allow every target: targets.any'],
  }),
  'services.remove': ({ name }) => ({
    schema: 'tuntox.service-change/1',
    service: service(name),
    closedTunnels: 2,
    notes: [],
  }),
  id: () => ({ schema: 'tuntox.id/1', toxId: TOX_ID, publicKey: KEYS.laptop }),
  net: () => ({ schema: 'tuntox.net/1', ...network }),
  'connections.list': () => ({ schema: 'tuntox.connections/1', connections: [...connections] }),
  'connections.watch': async (_params, emit) => {
    emit({ schema: 'tuntox.connections/1', connections: [...connections] });
    emit({ schema: 'tuntox.connections/1', connections: [base] });
  },
  'connections.close': () => ({ schema: 'tuntox.closed/1', closed: [...longConnections] }),
  'clients.list': () => ({ schema: 'tuntox.clients/1', clients: clients() }),
  'clients.watch': async (_params, emit) => {
    for (let count = 0; count < 2; count += 1) emit({ schema: 'tuntox.clients/1', clients: clients() });
  },
  'clients.show': () => ({
    schema: 'tuntox.client/1',
    client: client(),
    allow: ['127.0.0.1:22', '127.0.0.1:80'],
    allowReverse: ['localhost:8080', '*:0'],
    rate: 5 * 1024 * 1024,
    maxTunnels: 20,
    expiresAt: rfc3339(now() + DAY),
    connections: [...connections],
  }),
  'clients.kick': ({ banForMs }) => ({
    schema: 'tuntox.kicked/1',
    client: laptop,
    wasConnected: true,
    closed: [...connections],
    bannedUntil: banForMs === undefined ? null : rfc3339(now() + banForMs / 1000),
    notes: ['a client that has the secret can return with another key; to prevent that: tuntoxctl secret rotate'],
  }),
  'clients.pending': () => ({ schema: 'tuntox.pending/1', clients: [...pending] }),
  'clients.approve': ({ dryRun }) => ({
    schema: 'tuntox.approved/1',
    client: laptop,
    words: WORDS,
    admitted: !dryRun,
    change: change({ added: [entry()], notes: ['from now on only clients on the whitelist are admitted'] }),
  }),
  'invite.list': () => ({
    schema: 'tuntox.invitations/1',
    invitations: [
      invitation({
        state: 'used',
        redeemed: [{ client: laptop, at: rfc3339(now() - 7_000), listed: true }],
        late: [{ client: unnamed, at: rfc3339(now() - 300), state: 'used' }],
      }),
      invitation({
        id: 'abcde',
        name: longest.name,
        uses: 5,
        allow: ['[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535', 'db.internal.example.org:5432'],
        redeemed: [{ client: longest, at: rfc3339(now() - 7_000), listed: false }],
      }),
      invitation({ id: 'fghij', name: null, allow: [], accessMs: null, state: 'expired' }),
    ],
  }),
  'invite.create': ({ dryRun }) => ({
    schema: 'tuntox.invitation-created/1',
    invitation: invitation(),
    link: dryRun ? null : invitationLink,
    notes: ['the name "laptop" is taken: a new client will be called laptop-2'],
  }),
  'invite.revoke': ({ removeClients }) => ({
    schema: 'tuntox.invitation-revoked/1',
    invitation: invitation({ state: 'revoked' }),
    removed: removeClients ? [laptop] : [],
    closedTunnels: removeClients ? 2 : 0,
    notes: removeClients ? [] : ['the client that came keeps its access'],
  }),
  'whitelist.list': () => ({
    schema: 'tuntox.whitelist/1',
    enabled: true,
    entries: [
      entry(),
      entry({
        ...ci,
        allow: [],
        expiresAt: null,
        note: 'the build machine in the cellar, asked for by Ann in November',
      }),
      entry({
        ...longest,
        allow: ['[2001:db8::1]:443', 'db.internal.example.org:5432'],
        expired: true,
        note: '雪 \u202egpj.exe',
      }),
    ],
  }),
  'whitelist.add': () => change({ added: [entry()], notes: ['a secret exists too: the client needs both'] }),
  'whitelist.edit': () => change({ changed: [entry({ allow: [], note: 'new' })] }),
  'whitelist.remove': () =>
    change({ removed: [entry()], closedTunnels: 2, notes: ['the whitelist is empty now: no client is admitted'] }),
  'whitelist.import': ({ items }) => change({ added: items.map(() => entry()) }),
  'whitelist.off': () => change({ removed: [entry()] }),
  'secret.status': () => ({
    schema: 'tuntox.secret/1',
    set: true,
    source: 'state',
    changedAt: rfc3339(now() - 12 * DAY),
    previousValidUntil: rfc3339(now() + 3_600),
  }),
  'secret.set': () => secretChange({}),
  'secret.rotate': () => secretChange({ secret: 'correct-horse-battery-staple-0123456789', closedTunnels: 3 }),
  'secret.off': () => secretChange({}),
  'rules.list': () => ({
    schema: 'tuntox.rules/1',
    file: '/etc/tuntox/rules',
    rules: [
      { line: 3, text: '127.0.0.1:22' },
      { line: 4, text: `${'long.'.repeat(20)}example:443` },
    ],
  }),
  'rules.check': ({ target }) => ({
    schema: 'tuntox.rule-verdict/1',
    client: laptop,
    target: { host: '127.0.0.1', port: 22 },
    allowed: target.endsWith(':22'),
    decidedBy: 'line 3 of /etc/tuntox/rules: 127.0.0.1:22, and the allow list of laptop: 127.0.0.1:22',
  }),
  'bans.list': () => ({
    schema: 'tuntox.bans/1',
    bans: [
      {
        publicKey: KEYS.unnamed,
        reason: 'too many wrong secrets: 30 within a minute',
        since: rfc3339(now()),
        until: rfc3339(now() + DAY),
        persistent: true,
      },
      {
        publicKey: KEYS.ci,
        reason: 'banned by clients kick',
        since: rfc3339(now()),
        until: rfc3339(now() + 3_600),
        persistent: false,
      },
    ],
  }),
  'bans.clear': () => ({
    schema: 'tuntox.bans/1',
    bans: [
      {
        publicKey: KEYS.unnamed,
        reason: 'too many wrong secrets',
        since: rfc3339(now()),
        until: null,
        persistent: true,
      },
    ],
  }),
  'forwards.list': () => ({
    schema: 'tuntox.forwards/1',
    forwards: [
      forward(),
      forward({
        bind: null,
        port: 2222,
        target: 'ssh',
        state: 'connecting',
        path: null,
        roundTripMs: null,
        error: NOT_FOUND,
      }),
      forward({
        bind: '2001:db8:85a3::8a2e:370:7334',
        port: 54_321,
        target: 'db.internal.example.org:5432',
        server: { publicKey: KEYS.ci, name: null },
        state: 'not-listening',
        error: 'port 54321 is in use by another program: choose another port',
      }),
      forward({ port: 53, target: 'udp:127.0.0.1:53' }),
      forward({ bind: null, port: 0, socket: '/run/user/1000/db.sock', target: '/run/postgresql/.s.PGSQL.5432' }),
      forward({ kind: 'dynamic', port: 1080, target: null }),
      forward({ kind: 'reverse', port: 8080, target: '127.0.0.1:3000' }),
    ],
  }),
  'forwards.add': ({ forward: text }) =>
    forwardChange({ forward: forward({ target: text.slice(text.indexOf(':') + 1), state: 'connecting', path: null }) }),
  'forwards.remove': () => forwardChange({ closedTunnels: 2 }),
  'config.show': () => ({ schema: 'tuntox.config/1', file: '/etc/tuntox/tuntox.yaml', settings }),
  'config.check': () => ({
    schema: 'tuntox.config-check/1',
    file: '/etc/tuntox/tuntox.yaml',
    valid: true,
    errors: [],
  }),
  'config.reload': () => ({
    schema: 'tuntox.reload/1',
    changed: ['log.level'],
    needsRestart: ['network.udp_ports'],
    notes: [],
  }),
  'log.tail': async (_params, emit) => {
    emit({
      schema: 'tuntox.log-line/1',
      at: rfc3339(1_700_000_000),
      level: 'info',
      message: 'laptop 9F3A11C2 is here',
    });
    emit({
      schema: 'tuntox.log-line/1',
      at: rfc3339(1_700_000_001),
      level: 'error',
      message: `hostile \u001b]0;title\u0007 \u009b31m \u202e and long: ${'word '.repeat(30)}\nsecond line`,
    });
  },
  'log.level': ({ level }) => ({ schema: 'tuntox.log-level/1', before: 'info', now: level }),
  ping: () => ({ schema: 'tuntox.ping/1', client: laptop, roundTripMs: 23.4 }),
  metrics: () => ({ schema: 'tuntox.metrics/1', text: '# TYPE tuntox_tunnels gauge\ntuntox_tunnels 5\n# EOF\n' }),
};

/** @returns the path of its socket */
export async function startDaemon(t: Test, handlers: Partial<MethodHandlers> = {}): Promise<string> {
  const path = join(temporaryDirectory(t), 'tuntoxd.sock');
  const server = new ControlServer(
    { clock: systemClock, log: silentLogger, handlers: { ...HANDLERS, ...handlers } },
    { path, groupId: process.getgid?.(), daemon: 'tuntoxd 1.0.0', pid: 812 },
  );
  await server.start();
  t.teardown(() => server.stop());
  return path;
}
