/** Makes consistent settings from the flags and the environment. */
import { resolve } from 'node:path';
import type { LogLevel } from '../../base/logger.js';
import { userDirectories } from '../../base/user-directories.js';
import type {
  ClientSettings,
  CommonSettings,
  ForwardSettings,
  PingSettings,
  PipeSettings,
  RetryPolicy,
  RunSettings,
  SecretSource,
  ServiceSettings,
  ShareSettings,
  StoreSettings,
} from '../../config/classic-settings.js';
import { FormatError } from '../../config/format-error.js';
import {
  LOOPBACK,
  type NodeAddress,
  parseLasting,
  parseNode,
  parsePort,
  parsePortOrNone,
  parsePortRange,
  parseRetries,
  parseSharedTarget,
  parseStreamTarget,
  parseTimeout,
  parseToxId,
  parseUses,
} from '../../config/formats.js';
import {
  type ForwardText,
  isProxyText,
  parseDynamicForward,
  parseLocalForwards,
  parseReverseForwards,
} from '../../config/forward-text.js';
import { parseHostName } from '../../config/host-name.js';
import { localPortOf, parseLinkOrId } from '../../config/link.js';
import { type ProxySetting, parseProxy, parseProxyOrNone } from '../../config/proxy.js';
import { parseListenPermission } from '../../engine/access/listen-permission.js';
import type { Host } from '../../engine/client/host-entry.js';
import { agentSettings, idleTimeoutOf } from './agent/agent-settings.js';
import { FlagSet } from './flag-set.js';
import type { CommandLine } from './flags.js';
import type { OptionName } from './options.js';
import { UsageError } from './usage-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Flags that have no meaning in other modes are refused there, not ignored. */
const SERVER_ONLY: readonly OptionName[] = ['--rules-file', '--insecure-open', '--allow-reverse'];
const NOT_FOR_CLIENTS: readonly OptionName[] = [...SERVER_ONLY, '--user'];
/** Another program waits for the output of a pipe or a ping, so these stay in the foreground. */
const LASTING_ONLY: readonly OptionName[] = ['--background', '--pid-file'];
const FORWARD_ONLY: readonly OptionName[] = [...LASTING_ONLY, '--idle-timeout'];
const CLIENT_ONLY: readonly OptionName[] = ['--timeout', '--max-retries', '--idle-timeout'];
const NOT_FOR_NODES: readonly OptionName[] = [
  ...SERVER_ONLY,
  ...CLIENT_ONLY,
  '--json',
  '--identity',
  '--id-file',
  '--secret',
  '--secret-file',
  '--no-port-mapping',
];

/** ms that -W and -p wait for the server, and each client with --max-retries. */
const DEFAULT_TIMEOUT = 60_000;

/**
 * @param host the stored host that the command line names
 * @throws UsageError
 */
export function settingsOf(line: CommandLine, environment: Environment, host?: Host): RunSettings {
  const { form, arguments: words } = line;
  const flags = new FlagSet(line.flags);
  if (!flags.has('--dynamic') && !flags.all('--reverse', parseReverseForwards).flat().some(isProxyText))
    flags.refuse(['--socks-auth'], 'is only for -D, and for -R without a target: remove it, or add -D 1080');
  switch (form) {
    case 'share':
      return shareSettings(words[0] ?? '', flags, environment);
    case 'join':
      return joinSettings(words, flags, environment);
    case 'host':
    case 'ping':
    case 'speed':
      if (host === undefined) throw new Error('settingsOf: the host is missing');
      return hostSettings(line, host, flags, environment);
    case 'agent':
      return agentSettings(words[0], flags, commonSettings(flags, environment));
    case 'classic':
      return classicSettings(flags, environment);
    default:
      throw new Error(`settingsOf: ${form} has no settings`);
  }
}

function shareSettings(argument: string, flags: FlagSet, environment: Environment): ShareSettings {
  return {
    ...commonSettings(flags, environment),
    secret: { from: 'nowhere' },
    mode: 'share',
    service: serviceSettings(flags),
    target: flags.parse('share', argument, parseSharedTarget),
    duration: flags.all('--for', parseLasting).at(-1),
    uses: flags.all('--uses', parseUses).at(-1),
    hasQr: flags.has('--qr'),
  };
}

function joinSettings(
  [link = '', name]: readonly string[],
  flags: FlagSet,
  environment: Environment,
): ForwardSettings | StoreSettings {
  const { serverId, secret, target } = flags.parse('join', link, parseLinkOrId);
  const common: CommonSettings = {
    ...commonSettings(flags, environment),
    secret: secret === undefined ? { from: 'nowhere' } : { from: 'link', text: secret },
  };
  if (name !== undefined) {
    flags.refuse([...FORWARDS, ...FORWARD_ONLY], 'is not for join with a name, which only stores the host: remove it');
    const host = { name: flags.parse('join', name, parseHostName), secret };
    const patience = patienceOf(flags, DEFAULT_TIMEOUT);
    return { ...common, ...ofUser(common, environment), mode: 'store', serverId, patience, host, target };
  }
  if (secret === undefined) {
    throw new UsageError('join: a Tox ID needs a name under which the host is stored, as in tuntox join TOX_ID nas');
  }
  const given = forwardsOf(flags);
  if (given.length === 0 && target === undefined) {
    throw new UsageError(
      'join: this link is for no single target: add a name, as in tuntox join LINK nas, or -L 2222:127.0.0.1:22',
    );
  }
  const forwards: readonly ForwardText[] =
    target === undefined || given.length > 0
      ? given
      : [{ kind: 'local', at: { kind: 'port', bind: LOOPBACK, port: localPortOf(target) }, target }];
  // With -q nobody would learn the other port.
  const mayMovePorts = given.length === 0 && common.logLevel !== 'error';
  return { ...common, ...forwardJob(flags, forwards), serverId, patience: patienceOf(flags, undefined), mayMovePorts };
}

/** `tuntox NAME …`, and `tuntox ping NAME`. */
function hostSettings(
  { form, arguments: words }: CommandLine,
  { name, toxId, secret }: Host,
  flags: FlagSet,
  environment: Environment,
): ClientSettings {
  const [, unexpected] = words;
  if (unexpected !== undefined) {
    throw new UsageError(
      `unexpected argument "${unexpected}": "tuntox ssh ${name} …" runs a command there, -L and -W reach a service`,
    );
  }
  const common: CommonSettings = {
    ...commonSettings(flags, environment),
    secret: secret === undefined ? { from: 'nowhere' } : { from: 'host', text: secret },
  };
  const server = {
    ...common,
    ...ofUser(common, environment),
    serverId: flags.parse(`the Tox ID of ${name}`, toxId, parseToxId),
    host: { name, secret },
  };
  if (form === 'speed') return { ...server, mode: 'speed', patience: patienceOf(flags, DEFAULT_TIMEOUT) };
  if (form === 'ping') return { ...server, ...jobOf(flags, { isPing: true }) };
  if (hasJob(flags)) return { ...server, ...jobOf(flags) };
  flags.refuse(FORWARD_ONLY, 'needs -L, -R, or -D with a port, as in -D 1080: add one, or remove it');
  return { ...server, mode: 'services', patience: patienceOf(flags, DEFAULT_TIMEOUT) };
}

/** Stored hosts are reached with one identity of the user: it may be on their whitelists. */
const ofUser = ({ directory }: CommonSettings, environment: Environment): { readonly directory: string } => ({
  directory: directory ?? userDirectories(environment).state,
});

function classicSettings(flags: FlagSet, environment: Environment): RunSettings {
  const common = commonSettings(flags, environment);
  if (flags.has('--node')) {
    if (hasJob(flags)) throw new UsageError('a bootstrap node (--node) has no tunnels: remove -L, -D, -R, -W and -p');
    flags.refuse(NOT_FOR_NODES, 'is not for bootstrap nodes: remove it');
    if (common.proxy !== undefined) {
      throw new UsageError('a bootstrap node must be reachable directly, so it cannot use a proxy: add --proxy none');
    }
    return { ...common, mode: 'node', service: serviceSettings(flags) };
  }
  if (!hasJob(flags)) {
    flags.refuse(CLIENT_ONLY, 'is only for clients: remove it, or add -L, -D, -R, -W or -p');
    return {
      ...common,
      mode: 'server',
      service: serviceSettings(flags),
      whitelist: flags.all('--identity', parseToxId).map((id) => id.publicKey),
      rulesFile: flags.last('--rules-file'),
      isInsecureOpen: flags.has('--insecure-open'),
      ports: flags.all('--allow-reverse', parseListenPermission),
    };
  }

  flags.refuse(NOT_FOR_CLIENTS, 'is only for servers: remove it');
  const job = jobOf(flags);
  const [serverId, secondId] = flags.all('--identity', parseToxId);
  if (serverId === undefined) {
    const { written = '-p', value } = flags.given.find(({ flag }) => JOBS.some((name) => name === flag)) ?? {};
    const words = [written, ...(value === undefined ? [] : [value])].join(' ');
    throw new UsageError(
      `no server is given: put the name of a stored host in front, as in "tuntox NAME ${words}", or add its Tox ID with -i`,
    );
  }
  if (secondId !== undefined) throw new UsageError('a client has one server: give -i only once');
  return { ...common, serverId, ...job };
}

const FORWARDS = ['--forward', '--dynamic', '--reverse'] as const;
const JOBS = [...FORWARDS, '--pipe', '--ssh-pipe', '--ping'] as const;

const hasJob = (flags: FlagSet): boolean => JOBS.some((flag) => flags.has(flag));

type JobOf<Settings> = Omit<Settings, keyof CommonSettings | 'serverId' | 'host'>;
type Job = JobOf<ForwardSettings> | JobOf<PipeSettings> | JobOf<PingSettings>;

/**
 * The forwards of -L, -D and -R. A path is absolute: the working directory is different in the background.
 * @throws UsageError
 */
function forwardsOf(flags: FlagSet): ForwardText[] {
  const forwards: ForwardText[] = [
    ...flags.all('--forward', parseLocalForwards).flat(),
    ...flags.all('--dynamic', parseDynamicForward),
    ...flags.all('--reverse', parseReverseForwards).flat(),
  ];
  if (flags.has('--background') && forwards.some(({ at }) => at.kind === 'descriptor')) {
    throw new UsageError('a socket of systemd (fd) is not passed on to a process in the background: remove -z');
  }
  return forwards.map((forward) =>
    forward.kind !== 'reverse' && forward.at.kind === 'unix'
      ? { ...forward, at: { kind: 'unix', path: resolve(forward.at.path) } }
      : forward,
  );
}

/** What a client does with its server: -L, -D, -R, -W or -p. */
function jobOf(flags: FlagSet, { isPing = flags.has('--ping') }: { readonly isPing?: boolean } = {}): Job {
  const forwards = forwardsOf(flags);
  const sshPort = flags.all('--ssh-pipe', parsePort).at(-1);
  const ofSsh = sshPort === undefined ? [] : [{ host: LOOPBACK, port: sshPort }];
  const [target, secondTarget] = [...ofSsh, ...flags.all('--pipe', parseStreamTarget)];
  if ([forwards.length > 0, target !== undefined, isPing].filter(Boolean).length > 1) {
    throw new UsageError('-L, -W and -p cannot be combined (nor -D and -R with these two): choose one');
  }
  if (forwards.length === 0) flags.refuse(['--idle-timeout'], 'is only for -L, -D and -R: remove it');
  if (forwards.length === 0) flags.refuse(LASTING_ONLY, 'is only for servers and for -L, -D and -R: remove it');
  const patience = patienceOf(flags, forwards.length > 0 ? undefined : DEFAULT_TIMEOUT);
  if (isPing) return { mode: 'ping', patience };
  if (target === undefined) return { ...forwardJob(flags, forwards), patience, mayMovePorts: false };
  if (secondTarget !== undefined) throw new UsageError('-W connects to one target: give it only once');
  return { mode: 'pipe', patience, target, ...(sshPort === undefined ? {} : { sshPort }) };
}

const forwardJob = (flags: FlagSet, forwards: readonly ForwardText[]) =>
  ({
    mode: 'forward',
    service: serviceSettings(flags),
    forwards,
    idleTimeout: idleTimeoutOf(flags, undefined),
    proxyUsersFile: flags.last('--socks-auth'),
  }) as const;

/** @param byDefault ms; undefined waits forever */
function patienceOf(flags: FlagSet, byDefault: number | undefined): RetryPolicy {
  const given = flags.all('--timeout', parseTimeout).at(-1);
  const maxRetries = flags.all('--max-retries', parseRetries).at(-1);
  if (given === 0 && maxRetries !== undefined) {
    throw new UsageError('--timeout 0 waits forever, so there is nothing to retry: remove --max-retries');
  }
  const timeout = given ?? (maxRetries === undefined ? byDefault : DEFAULT_TIMEOUT);
  return { timeout: timeout === 0 ? undefined : timeout, maxRetries: maxRetries ?? 0 };
}

const serviceSettings = (flags: FlagSet): ServiceSettings => ({
  isBackground: flags.has('--background'),
  pidFile: flags.path('--pid-file'),
  user: flags.last('--user'),
});

function commonSettings(flags: FlagSet, environment: Environment): CommonSettings {
  const proxy = proxyOf(flags, environment);
  const relayPort = flags.all('--relay-port', parsePortOrNone).at(-1);
  const udpPorts = flags.all('--udp-ports', parsePortRange).at(-1);
  if (proxy !== undefined) {
    const advice = 'opens a port, which a proxy cannot do: remove it, or add --proxy none';
    flags.refuse(['--udp-ports'], advice);
    if (relayPort !== 0) flags.refuse(['--relay-port'], advice);
  }
  return {
    // A pipe shares the terminal with ssh: it logs only warnings and errors.
    logLevel: logLevel(flags, flags.has('--pipe') || flags.has('--ssh-pipe') ? 'warn' : 'info'),
    isSyslog: flags.has('--syslog'),
    isJson: flags.has('--json'),
    directory: flags.path('--state-dir'),
    idFile: flags.last('--id-file'),
    secret: secretSource(flags, environment),
    udpPorts,
    relayPort,
    portMapping: !flags.has('--no-port-mapping'),
    nodesFile: flags.last('--nodes-file'),
    nodes: nodesOf(flags),
    proxy,
  };
}

const NO_NODES = 'none';

/** Returns undefined when no flag names nodes. */
function nodesOf(flags: FlagSet): NodeAddress[] | undefined {
  const given = flags.all('--bootstrap', (text) => (text === NO_NODES ? undefined : parseNode(text)));
  const nodes = given.filter((node) => node !== undefined);
  if (nodes.length < given.length && (nodes.length > 0 || flags.has('--nodes-file'))) {
    const others = nodes.length > 0 ? 'the other --bootstrap' : '-b';
    throw new UsageError(`--bootstrap none means no nodes: remove it, or ${others}`);
  }
  return given.length === 0 ? undefined : nodes;
}

/** As in curl, all_proxy precedes ALL_PROXY. */
function proxyOf(flags: FlagSet, environment: Environment): ProxySetting | undefined {
  if (flags.has('--proxy')) {
    const address = flags.all('--proxy', parseProxyOrNone).at(-1);
    return address === undefined ? undefined : { from: 'flag', address };
  }
  const name = environment.all_proxy ? 'all_proxy' : 'ALL_PROXY';
  const url = environment[name];
  if (!url) return undefined;
  try {
    return { from: 'environment', address: parseProxy(url) };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UsageError(`${name}: ${error.message}; to use no proxy, add --proxy none`);
  }
}

/** As upstream: each -d logs more, -q logs only errors, and the last of them counts. */
function logLevel(flags: FlagSet, byDefault: LogLevel): LogLevel {
  let level = byDefault;
  for (const { flag } of flags.given) {
    if (flag === '--quiet') level = 'error';
    else if (flag === '--verbose') level = level === 'debug' || level === 'trace' ? 'trace' : 'debug';
  }
  return level;
}

const STANDARD_INPUT = '-';

function secretSource(flags: FlagSet, environment: Environment): SecretSource {
  const text = flags.last('--secret');
  const path = flags.last('--secret-file');
  if (text !== undefined && path !== undefined) {
    throw new UsageError('-s and --secret-file both give the secret: remove -s, which other users can see');
  }
  if (path === STANDARD_INPUT && flags.has('--pipe')) {
    throw new UsageError('-W and --secret-file - both read standard input: use a file or TUNTOX_SHARED_SECRET');
  }
  if (path !== undefined) return { from: 'file', path: path === STANDARD_INPUT ? '/dev/stdin' : path };
  if (text !== undefined) return { from: 'flag', text };
  const variable = environment.TUNTOX_SHARED_SECRET;
  return variable === undefined ? { from: 'nowhere' } : { from: 'environment', text: variable };
}
