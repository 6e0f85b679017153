/**
 * The settings of the daemon: from the file, the environment and the flags, each overriding those before. All errors are reported
 * at once, each with its place; none of them shows a secret.
 */
import { resolve } from 'node:path';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import type { LogLevel } from '../base/logger.js';
import { FileError, readSmallFile } from '../base/small-file.js';
import { type DaemonPaths, SYSTEM_PATHS } from './daemon-paths.js';
import { FormatError } from './format-error.js';
import {
  type HostAndPort,
  type NodeAddress,
  type PortRange,
  parseNode,
  parsePortOrNone,
  parsePortRange,
  parseTarget,
} from './formats.js';
import { type ProxyAddress, parseProxyOrNone } from './proxy.js';
import { AUTO, completed, type SettingSource, type SettingsShape } from './schema.js';
import {
  CONFIG_VARIABLE,
  isWordOf,
  type Layer,
  layerOfEnvironment,
  layerOfFile,
  layerOfFlags,
  NO_LAYER,
  type WrittenFlag,
  type WrittenValue,
  withWordRead,
} from './setting-layers.js';
import { SETTING_LIST } from './setting-list.js';

export type LogFormat = 'auto' | 'plain' | 'json' | 'journal';

export interface DaemonSettings {
  readonly stateDirectory: string;
  /** The user to become; undefined to stay. */
  readonly user: string | undefined;
  /** Without a group only the daemon's user may use the socket. */
  readonly socket: { readonly path: string; readonly group: string | undefined };
  /** Who of this machine may use the agent's socket; for the daemon of a user always none, because it is the agent of that user. */
  readonly agent: { readonly users: 'none' | 'group' | 'all' };
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly network: {
    /** Undefined means a random port. */
    readonly udpPorts: PortRange | undefined;
    /** The TCP port of the relay; 0 means no relay, undefined any port. */
    readonly relayPort: number | undefined;
    /** Undefined means those of the file, or else the public ones. Empty means no nodes; then there is no file. */
    readonly nodes: readonly NodeAddress[] | undefined;
    readonly nodesFile: string | undefined;
    readonly lanDiscovery: boolean;
    readonly portMapping: boolean;
    readonly proxy: ProxyAddress | undefined;
  };
  readonly access: {
    readonly require: 'all' | 'any';
    readonly isOpen: boolean;
    readonly secretFile: string | undefined;
  };
  readonly targets: {
    readonly rulesFile: string | undefined;
    readonly isAny: boolean;
    readonly mayTestSpeed: boolean;
    /** Whether each client has an address of its own, from which its targets on loopback are connected to. */
    readonly hasClientSources: boolean;
  };
  readonly http: { readonly listen: HostAndPort | undefined };
}

/** One setting as `config show` shows it. */
export interface EffectiveSetting {
  readonly key: string;
  readonly value: unknown;
  readonly isSensitive: boolean;
  readonly source: SettingSource;
  /** A file with a line, a variable or a flag; undefined for a default. */
  readonly place: string | undefined;
}

export interface LoadedSettings {
  readonly settings: DaemonSettings;
  /** Whose daemon it is: the default paths depend on it. */
  readonly owner: DaemonPaths['owner'];
  /** Undefined if there is no file. */
  readonly file: string | undefined;
  /** All settings, in the order of the schema. */
  readonly effective: ReadonlyMap<string, EffectiveSetting>;
}

/** All errors of the settings, one per line of the message. */
export class SettingsError extends CodedError<'bad-settings'> {
  readonly errors: readonly string[];
  /** The errors that show nothing of the content of the file. */
  readonly outsideFile: readonly string[];

  constructor(errors: readonly string[], outsideFile: readonly string[] = []) {
    super('bad-settings', errors.join('\n'));
    this.errors = errors;
    this.outsideFile = outsideFile;
  }
}

export interface SettingsInput {
  /** The value of --config. */
  readonly configFile: string | undefined;
  readonly flags: readonly WrittenFlag[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The default paths; by default those of the system's daemon. */
  readonly paths?: DaemonPaths;
  /** Relative paths start here; by default in the working directory. */
  readonly directory?: string;
}

/** bytes; the commented default has 5,000. */
const MAX_FILE_SIZE = 1024 * 1024;

/** Reads all settings, at the start and at each reload. @throws SettingsError */
export function loadSettings(input: SettingsInput): LoadedSettings {
  const { file, layer, unread } = readFileLayer(input);
  const layers = [layer, layerOfEnvironment(input.environment), layerOfFlags(input.flags)];
  const written = layers.flatMap(({ values }) => values.map(withWordRead));
  const outsideFile = [...unread, ...layers.slice(1).flatMap(errorsOfLayer)];
  const errors = [...errorsOfLayer(layer), ...outsideFile];
  const chosen = new Map(written.map((value) => [value.setting.key, value]));
  if (errors.length === 0) errors.push(...contradictions(chosen, input.paths?.owner ?? 'system'));
  if (errors.length > 0) throw new SettingsError(errors, outsideFile);
  const { paths = SYSTEM_PATHS } = input;
  const defaults = defaultsOf(paths);
  const values = new Map([...defaults, ...[...chosen].map(([key, { value }]): [string, unknown] => [key, value])]);
  const effective = [...SETTING_LIST.values()].map(({ key, defaultValue, isSensitive }): [string, EffectiveSetting] => {
    const { value = defaults.get(key) ?? defaultValue, source = 'default', place } = chosen.get(key) ?? {};
    return [key, { key, value, isSensitive, source, place }];
  });
  const settings = typed(completed(nested(values)), input);
  return { settings, owner: paths.owner, file, effective: new Map(effective) };
}

/** Returns the value that may be shown: that a sensitive one is set, never the value itself. */
export const shownValue = ({ value, isSensitive }: EffectiveSetting): unknown =>
  isSensitive && value !== '' ? '[set]' : value;

const defaultsOf = ({ stateDirectory, socket, group }: DaemonPaths): ReadonlyMap<string, unknown> =>
  new Map([
    ['state_dir', stateDirectory],
    ['socket.path', socket],
    ['socket.group', group],
  ]);

type FileInput = Pick<SettingsInput, 'configFile' | 'environment' | 'paths' | 'directory'>;

const namedFile = ({ configFile, environment }: FileInput): string | undefined =>
  configFile ?? (environment[CONFIG_VARIABLE] || undefined);

/** Returns the absolute path of the file, which may not exist. */
export const settingsFile = (input: FileInput): string =>
  resolve(input.directory ?? '', namedFile(input) ?? (input.paths ?? SYSTEM_PATHS).config);

function readFileLayer(input: SettingsInput): {
  readonly file: string | undefined;
  readonly layer: Layer;
  readonly unread: readonly string[];
} {
  const [named, path] = [namedFile(input), settingsFile(input)];
  try {
    const text = readSmallFile(path, MAX_FILE_SIZE).toString('utf8');
    return { file: path, layer: layerOfFile(text, path), unread: [] };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // Only a file that is named must exist.
    if (named === undefined && systemCodeOf(error.cause) === 'ENOENT')
      return { file: undefined, layer: NO_LAYER, unread: [] };
    const by = input.configFile !== undefined ? '--config' : named === undefined ? undefined : CONFIG_VARIABLE;
    return { file: path, layer: NO_LAYER, unread: [by === undefined ? error.message : `${by}: ${error.message}`] };
  }
}

const errorsOfLayer = ({ errors, values }: Layer): string[] => [
  ...errors,
  ...values.map(withWordRead).flatMap(errorsOf),
];

function errorsOf({ setting, value, place, itemPlaces }: WrittenValue): string[] {
  // The entries of a list are checked one by one, so that each error has its line.
  const parts = Array.isArray(value)
    ? value.map((item, index) => ({ part: [item], item, where: itemPlaces[index] ?? place }))
    : [{ part: value, item: undefined, where: place }];
  return parts.flatMap(({ part, item, where }) => {
    try {
      if (isWordOf(setting, item))
        throw new FormatError(`"${item}" cannot be combined with other entries: remove it, or the others`);
      setting.check(part);
      return [];
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return [`${where}: ${setting.key}: ${error.message}`];
    }
  });
}

/** Finds values that are valid, but not together. */
function contradictions(chosen: ReadonlyMap<string, WrittenValue>, owner: DaemonPaths['owner']): string[] {
  const textOf = (key: string): string => String(chosen.get(key)?.value ?? '');
  const errors: string[] = [];
  const bootstrap = chosen.get('network.bootstrap');
  if (Array.isArray(bootstrap?.value) && bootstrap.value.length === 0 && textOf('network.nodes_file') !== '') {
    const place = chosen.get('network.nodes_file')?.place;
    const other = `network.nodes_file (${place}) names some: remove one of the two`;
    errors.push(`${bootstrap.place}: network.bootstrap: it means no nodes, but ${other}`);
  }
  const users = chosen.get('agent.users');
  if (owner === 'user' && users !== undefined && users.value !== 'none') {
    errors.push(`${users.place}: agent.users: your own daemon is for you alone: remove it`);
  }
  const proxy = textOf('network.proxy');
  if (proxy === '' || parseProxyOrNone(proxy) === undefined) return errors;
  const opensPort = (key: string): boolean => !['', '0', 'auto'].includes(textOf(key));
  for (const key of ['network.udp_ports', 'network.relay_port'].filter(opensPort)) {
    const { place } = chosen.get(key) as WrittenValue;
    errors.push(`${place}: ${key}: it opens a port, which a proxy cannot do: remove it, or network.proxy`);
  }
  return errors;
}

function nested(chosen: ReadonlyMap<string, unknown>): object {
  const values: Record<string, unknown> = {};
  for (const [key, value] of chosen) {
    const [group, name] = key.split('.') as [string, string?];
    if (name === undefined) values[group] = value;
    else values[group] = { ...(values[group] as object | undefined), [name]: value };
  }
  return values;
}

/** Never throws, because everything has been checked. */
function typed(shape: SettingsShape, { directory = '' }: SettingsInput): DaemonSettings {
  const fileOrNone = (path: string): string | undefined => (path === '' ? undefined : resolve(directory, path));
  const { socket, agent, log, network, access, targets, http } = shape;
  return deeplyFrozen({
    stateDirectory: shape.state_dir,
    user: orNone(shape.user),
    socket: { path: socket.path, group: orNone(socket.group) },
    agent: { users: agent.users as DaemonSettings['agent']['users'] },
    log: { level: log.level as LogLevel, format: log.format as LogFormat },
    network: {
      udpPorts: network.udp_ports === '' ? undefined : parsePortRange(network.udp_ports),
      relayPort: network.relay_port === 'auto' ? undefined : parsePortOrNone(network.relay_port),
      nodes: network.bootstrap === AUTO ? undefined : network.bootstrap.map(parseNode),
      nodesFile: fileOrNone(network.nodes_file),
      lanDiscovery: network.lan_discovery,
      portMapping: network.port_mapping,
      proxy: network.proxy === '' ? undefined : parseProxyOrNone(network.proxy),
    },
    access: {
      require: access.require as 'all' | 'any',
      isOpen: access.open,
      secretFile: fileOrNone(access.secret_file),
    },
    targets: {
      rulesFile: fileOrNone(targets.rules_file),
      isAny: targets.any,
      mayTestSpeed: targets.speed_test,
      hasClientSources: targets.source === 'per-client',
    },
    http: { listen: http.listen === 'off' ? undefined : parseTarget(http.listen) },
  });
}

const orNone = (text: string): string | undefined => (text === '' ? undefined : text);

/** Freezes plain objects and lists; objects with a class, such as keys, stay as they are. */
function deeplyFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  for (const inner of Object.values(value)) deeplyFrozen(inner);
  return Object.freeze(value);
}
