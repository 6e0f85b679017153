/** Makes consistent settings from the flags and the environment. */
import { resolve } from 'node:path';
import { placeText } from '../../base/local-place.js';
import type { LogLevel } from '../../base/logger.js';
import { userDirectories } from '../../base/user-directories.js';
import type {
  ClientSettings,
  CommonSettings,
  ForwardSettings,
  NodeSettings,
  PipeSettings,
  RetryPolicy,
  RunSettings,
  SecretSource,
  ServerSettings,
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
import { choicesOf, modeOf } from './mode.js';
import { CHOICES, type Mode } from './option-table.js';
import { UsageError } from './usage-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** ms that -W and -p wait for the server, and each client with --max-retries. */
const DEFAULT_TIMEOUT = 60_000;

/**
 * @param host the stored host that the command line names
 * @throws UsageError
 */
export function settingsOf(line: CommandLine, environment: Environment, host?: Host): RunSettings {
  const flags = new FlagSet(line.flags);
  if (!flags.has('--dynamic') && !flags.all('--reverse', parseReverseForwards).flat().some(isProxyText))
    flags.refuse(['--socks-auth'], 'is only for -D, and for -R without a target: remove it, or add -D 1080');
  const mode = modeOf(line);
  const common = commonSettings(mode, flags, environment);
  switch (mode) {
    case 'server':
      return serverSettings(flags, common);
    case 'node':
      return nodeSettings(flags, common);
    case 'share':
      return shareSettings(line.arguments[0] ?? '', flags, common);
    case 'agent':
      return agentSettings(line.arguments[0], flags, common);
    case 'forward':
    case 'pipe':
    case 'ping':
    case 'speed':
    case 'store':
    case 'services':
      return clientSettings(mode, { line, flags, common, environment, host });
    default:
      throw new Error(`settingsOf: ${mode} has no settings`);
  }
}

const serverSettings = (flags: FlagSet, common: CommonSettings): ServerSettings => ({
  ...common,
  mode: 'server',
  service: serviceSettings(flags),
  whitelist: flags.all('--identity', parseToxId).map((id) => id.publicKey),
  rulesFile: flags.last('--rules-file'),
  isInsecureOpen: flags.has('--insecure-open'),
  ports: flags.all('--allow-reverse', parseListenPermission),
});

function nodeSettings(flags: FlagSet, common: CommonSettings): NodeSettings {
  if (common.proxy !== undefined) {
    throw new UsageError('a bootstrap node must be reachable directly, so it cannot use a proxy: add --proxy none');
  }
  return { ...common, mode: 'node', service: serviceSettings(flags) };
}

const shareSettings = (argument: string, flags: FlagSet, common: CommonSettings): ShareSettings => ({
  ...common,
  secret: { from: 'nowhere' },
  mode: 'share',
  service: serviceSettings(flags),
  target: flags.parse('share', argument, parseSharedTarget),
  duration: flags.all('--for', parseLasting).at(-1),
  uses: flags.all('--uses', parseUses).at(-1),
  hasQr: flags.has('--qr'),
});

interface ClientLine {
  readonly line: CommandLine;
  readonly flags: FlagSet;
  readonly common: CommonSettings;
  readonly environment: Environment;
  readonly host: Host | undefined;
}

function clientSettings(mode: ClientSettings['mode'], client: ClientLine): ClientSettings {
  const { line, flags } = client;
  if (line.form === 'join') return joinSettings(client);
  const patience = patienceOf(flags, mode === 'forward' ? undefined : DEFAULT_TIMEOUT);
  switch (mode) {
    case 'forward': {
      const forwards = forwardsOf(flags);
      return { ...serverOf(client), ...forwardJob(flags, forwards), patience, mayMovePorts: false };
    }
    case 'pipe': {
      const job = pipeJob(flags);
      return { ...serverOf(client), mode, patience, ...job };
    }
    case 'ping':
    case 'speed':
    case 'services':
      return { ...serverOf(client), mode, patience };
    case 'store':
      throw new Error('settingsOf: only join stores');
  }
}

type OfServer = CommonSettings & Pick<ForwardSettings, 'serverId' | 'host'>;

/** Returns the server that the command line names, with the secret for it. */
function serverOf({ line, flags, common, environment, host }: ClientLine): OfServer {
  if (line.form !== 'classic') {
    if (host === undefined) throw new Error('settingsOf: the host is missing');
    return hostOf(line, host, flags, ofUser(common, environment));
  }
  const [serverId, secondId] = flags.all('--identity', parseToxId);
  if (serverId === undefined) {
    const { written, value } = choicesOf(line.flags)[0] ?? {};
    const words = [written, ...(value === undefined ? [] : [value])].join(' ');
    throw new UsageError(
      `no server is given: put the name of a stored host in front, as in "tuntox NAME ${words}", or add its Tox ID with -i`,
    );
  }
  if (secondId !== undefined) throw new UsageError('a client has one server: give -i only once');
  return { ...common, serverId };
}

/** `tuntox NAME …`, and `tuntox ping NAME`. */
function hostOf(
  { arguments: [, unexpected] }: CommandLine,
  { name, toxId, secret }: Host,
  flags: FlagSet,
  common: CommonSettings,
): OfServer {
  if (unexpected !== undefined) {
    throw new UsageError(
      `unexpected argument "${unexpected}": "tuntox ssh ${name} …" runs a command there, -L and -W reach a service`,
    );
  }
  return {
    ...common,
    secret: secret === undefined ? { from: 'nowhere' } : { from: 'host', text: secret },
    serverId: flags.parse(`the Tox ID of ${name}`, toxId, parseToxId),
    host: { name, secret },
  };
}

/** Stored hosts are reached with one identity of the user: it may be on their whitelists. */
const ofUser = (common: CommonSettings, environment: Environment) => ({
  ...common,
  directory: common.directory ?? userDirectories(environment).state,
});

function joinSettings({ line, flags, common, environment }: ClientLine): ForwardSettings | StoreSettings {
  const [link = '', name] = line.arguments;
  const { serverId, secret, target } = flags.parse('join', link, parseLinkOrId);
  const ofLink = secret === undefined ? ({ from: 'nowhere' } as const) : ({ from: 'link', text: secret } as const);
  const server = { ...common, secret: ofLink, serverId };
  if (name !== undefined) {
    const host = { name: flags.parse('join', name, parseHostName), secret };
    const patience = patienceOf(flags, DEFAULT_TIMEOUT);
    return { ...ofUser(server, environment), serverId, mode: 'store', patience, host, target };
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
  return { ...server, ...forwardJob(flags, forwards), patience: patienceOf(flags, undefined), mayMovePorts };
}

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
  const places = forwards.map(placeOf).filter((place) => place !== undefined);
  const twice = places.find((place, index) => places.indexOf(place) !== index);
  if (twice !== undefined) throw new UsageError(`two forwards begin at ${twice}: choose another place for one of them`);
  return forwards.map((forward) =>
    forward.kind !== 'reverse' && forward.at.kind === 'unix'
      ? { ...forward, at: { kind: 'unix', path: resolve(forward.at.path) } }
      : forward,
  );
}

/** Returns what another forward cannot have; undefined for port 0 and for sockets of systemd, which mean another one each time. */
function placeOf(forward: ForwardText): string | undefined {
  const { kind, at } = forward;
  if (at.kind === 'descriptor' || (at.kind === 'port' && at.port === 0)) return undefined;
  if (kind === 'reverse') return `-R ${placeText(at)}`;
  return `${kind === 'local' && forward.target.protocol === 'udp' ? 'udp:' : ''}${placeText(at)}`;
}

/** The target of -W and --ssh-pipe. */
function pipeJob(flags: FlagSet): Pick<PipeSettings, 'target' | 'sshPort'> {
  const sshPort = flags.all('--ssh-pipe', parsePort).at(-1);
  const ofSsh = sshPort === undefined ? [] : [{ host: LOOPBACK, port: sshPort }];
  const [target, second] = [...ofSsh, ...flags.all('--pipe', parseStreamTarget)];
  if (target === undefined || second !== undefined)
    throw new UsageError('-W connects to one target: give it only once');
  return { target, ...(sshPort === undefined ? {} : { sshPort }) };
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

function commonSettings(mode: Mode, flags: FlagSet, environment: Environment): CommonSettings {
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
    logLevel: logLevel(flags, mode === 'pipe' ? 'warn' : 'info'),
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
  if (path === STANDARD_INPUT) {
    const advice = 'and --secret-file - both read standard input: use a file or TUNTOX_SHARED_SECRET';
    flags.refuse(CHOICES.pipe, advice);
  }
  if (path !== undefined) return { from: 'file', path: path === STANDARD_INPUT ? '/dev/stdin' : path };
  if (text !== undefined) return { from: 'flag', text };
  const variable = environment.TUNTOX_SHARED_SECRET;
  return variable === undefined ? { from: 'nowhere' } : { from: 'environment', text: variable };
}
