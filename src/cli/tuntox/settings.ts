/** From the flags and the environment to settings that hang together. */
import { resolve } from 'node:path';
import type { LogLevel } from '../../base/logger.js';
import type {
  CommonSettings,
  Patience,
  RunSettings,
  SecretSource,
  ServiceSettings,
} from '../../config/classic-settings.js';
import { FormatError } from '../../config/format-error.js';
import {
  type NodeAddress,
  parseCount,
  parseDuration,
  parseForward,
  parseNode,
  parsePortOrNone,
  parsePortRange,
  parseTarget,
  parseToxId,
} from '../../config/formats.js';
import { type ProxySetting, parseProxy, parseProxyOrNone } from '../../config/proxy.js';
import type { GivenFlag, PlainFlag, ValueFlag } from './flags.js';
import { UsageError } from './usage-error.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Flags that would be ignored silently by the other role. */
const SERVER_ONLY = ['-f', '--insecure-open'] as const;
const NOT_FOR_CLIENTS = [...SERVER_ONLY, '-U'] as const;
/** A pipe and a ping belong to whoever waits for their output. */
const LASTING_ONLY = ['-z', '-D', '-F'] as const;
const CLIENT_ONLY = ['--timeout', '--max-retries'] as const;
const NOT_FOR_NODES = [...SERVER_ONLY, ...CLIENT_ONLY, '-i', '-I', '-s', '--secret-file', '--no-port-mapping'] as const;

/** ms that a client with one job waits for its server, and every client that is to try again. */
const USUAL_TIMEOUT = 60_000;

/** @throws UsageError */
export function settingsOf(given: readonly GivenFlag[], environment: Environment): RunSettings {
  const flags = new FlagSet(given);
  const forwards = flags.all('-L', parseForward);
  const targets = [...flags.all('-P', parseTarget), ...flags.all('-W', parseTarget)];
  const isPing = flags.has('-p');
  const common = commonSettings(flags, environment);
  const jobs = [forwards.length > 0, targets.length > 0, isPing].filter(Boolean).length;
  if (flags.has('--node')) {
    if (jobs > 0) throw new UsageError('a node (--node) has no tunnels: leave -L, -W, -P and -p out');
    for (const flag of NOT_FOR_NODES)
      if (flags.has(flag)) throw new UsageError(`${flag} is not for nodes: leave it out`);
    if (common.proxy !== undefined) {
      throw new UsageError('a node serves others directly, which no proxy lets it do: add --proxy none to go without');
    }
    return { ...common, mode: 'node', service: serviceSettings(flags) };
  }
  if (jobs === 0) {
    for (const flag of CLIENT_ONLY) if (flags.has(flag)) throw new UsageError(`${flag} is for clients: leave it out`);
    return {
      ...common,
      mode: 'server',
      service: serviceSettings(flags),
      whitelist: flags.all('-i', parseToxId).map((id) => id.publicKey),
      rulesFile: flags.last('-f'),
      isInsecureOpen: flags.has('--insecure-open'),
    };
  }

  if (jobs > 1) throw new UsageError('-L, -W (or -P) and -p are different jobs: choose one of them');
  for (const flag of NOT_FOR_CLIENTS) {
    if (flags.has(flag)) throw new UsageError(`${flag} is for the server: leave it out`);
  }
  for (const flag of forwards.length > 0 ? [] : LASTING_ONLY) {
    if (flags.has(flag)) throw new UsageError(`${flag} is for servers and for -L: leave it out`);
  }
  const [serverId, secondId] = flags.all('-i', parseToxId);
  if (serverId === undefined) throw new UsageError('which server? Give its Tox ID with -i');
  if (secondId !== undefined) throw new UsageError('a client has one server: give -i only once');
  const patience = patienceOf(flags, forwards.length > 0 ? undefined : USUAL_TIMEOUT);
  if (isPing) return { ...common, mode: 'ping', serverId, patience };
  const [target, secondTarget] = targets;
  if (target === undefined)
    return { ...common, mode: 'forward', service: serviceSettings(flags), serverId, patience, forwards };
  if (secondTarget !== undefined) throw new UsageError('one standard input can have one target: give -W (or -P) once');
  return { ...common, mode: 'pipe', serverId, patience, target };
}

/** @param usual ms; undefined for a job that has no end by itself */
function patienceOf(flags: FlagSet, usual: number | undefined): Patience {
  const given = flags.all('--timeout', parseDuration).at(-1);
  const maxRetries = flags.all('--max-retries', parseCount).at(-1);
  if (given === 0 && maxRetries !== undefined) {
    throw new UsageError('--timeout 0 waits without end, so there is nothing to retry: leave --max-retries out');
  }
  const timeout = given ?? (maxRetries === undefined ? usual : USUAL_TIMEOUT);
  return { timeout: timeout === 0 ? undefined : timeout, maxRetries: maxRetries ?? 0 };
}

const serviceSettings = (flags: FlagSet): ServiceSettings => ({
  isBackground: flags.has('-z') || flags.has('-D'),
  pidFile: flags.path('-F'),
  user: flags.last('-U'),
});

function commonSettings(flags: FlagSet, environment: Environment): CommonSettings {
  const proxy = proxyOf(flags, environment);
  const relayPort = flags.all('-t', parsePortOrNone).at(-1);
  const udpPorts = flags.all('-u', parsePortRange).at(-1);
  if (proxy !== undefined) {
    const useless = udpPorts !== undefined ? '-u' : '-t';
    if (udpPorts !== undefined || (relayPort ?? 0) !== 0) {
      throw new UsageError(
        `${useless} opens a port, and with a proxy there is none: leave it out, or add --proxy none`,
      );
    }
  }
  return {
    // A pipe shares the terminal with ssh: it only speaks when something is wrong.
    logLevel: logLevel(flags, flags.has('-P') || flags.has('-W') ? 'warn' : 'info'),
    isSyslog: flags.has('-S'),
    directory: flags.path('-C'),
    idFile: flags.last('-I'),
    secret: secretSource(flags, environment),
    udpPorts,
    relayPort,
    portMapping: !flags.has('--no-port-mapping'),
    nodesFile: flags.last('-b'),
    nodes: nodesOf(flags),
    proxy,
  };
}

const NO_NODES = 'none';

/** Undefined when nothing is said of them. */
function nodesOf(flags: FlagSet): NodeAddress[] | undefined {
  const given = flags.all('--bootstrap', (text) => (text === NO_NODES ? undefined : parseNode(text)));
  const nodes = given.filter((node) => node !== undefined);
  if (nodes.length < given.length && (nodes.length > 0 || flags.has('-b'))) {
    const others = nodes.length > 0 ? 'the other --bootstrap' : '-b';
    throw new UsageError(`--bootstrap none says that there are no nodes: leave it out, or ${others}`);
  }
  return given.length === 0 ? undefined : nodes;
}

/** As with curl, the variable in small letters comes first. */
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
    throw new UsageError(`${name}: ${error.message}; or add --proxy none to go without`);
  }
}

/** As upstream: each -d says more, -q is errors only, and of both the later counts. */
function logLevel(flags: FlagSet, usual: LogLevel): LogLevel {
  let level = usual;
  for (const { flag } of flags.given) {
    if (flag === '-q') level = 'error';
    else if (flag === '-d') level = level === 'debug' || level === 'trace' ? 'trace' : 'debug';
  }
  return level;
}

function secretSource(flags: FlagSet, environment: Environment): SecretSource {
  const text = flags.last('-s');
  const path = flags.last('--secret-file');
  if (text !== undefined && path !== undefined) {
    throw new UsageError('-s and --secret-file both give the secret: leave -s out, other users can see it');
  }
  if (path !== undefined) return { from: 'file', path };
  if (text !== undefined) return { from: 'flag', text };
  const variable = environment.TUNTOX_SHARED_SECRET;
  return variable === undefined ? { from: 'nowhere' } : { from: 'environment', text: variable };
}

class FlagSet {
  readonly given: readonly GivenFlag[];

  constructor(given: readonly GivenFlag[]) {
    this.given = given;
  }

  has(flag: ValueFlag | PlainFlag): boolean {
    return this.given.some((one) => one.flag === flag);
  }

  /** The value given last, which wins. */
  last(flag: ValueFlag): string | undefined {
    return this.given.findLast((one) => one.flag === flag)?.value;
  }

  /** The same of a path, whole: in the background the working directory is another one. */
  path(flag: ValueFlag): string | undefined {
    const path = this.last(flag);
    return path === undefined ? undefined : resolve(path);
  }

  /** All values of the flag, parsed. @throws UsageError that names the flag */
  all<Value>(flag: ValueFlag, parse: (text: string) => Value): Value[] {
    return this.given.flatMap((one) => (one.flag === flag ? [this.#parse(flag, one.value, parse)] : []));
  }

  #parse<Value>(flag: ValueFlag, text: string, parse: (text: string) => Value): Value {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof FormatError) throw new UsageError(`${flag}: ${error.message}`);
      throw error;
    }
  }
}
