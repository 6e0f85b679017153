/**
 * What the daemon was told to do, checked and typed: from the file, the environment and the flags, the later ones first.
 * All that is wrong is said at once, each fault with its place, and no fault shows a value that is a secret.
 */
import { resolve } from 'node:path';
import { CodedError, systemCodeOf } from '../base/coded-error.js';
import type { LogLevel } from '../base/logger.js';
import { FileError, readSmallFile } from '../base/small-file.js';
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
import { AUTO, completed, type SettingSource, type SettingsShape, schemaOf } from './schema.js';
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
import { type SettingList, settingsIn } from './setting-list.js';

export type LogFormat = 'auto' | 'plain' | 'json' | 'journal';

/** @template Proxy what the parser of proxies gives */
export interface DaemonSettings<Proxy> {
  readonly stateDirectory: string;
  /** Undefined: stay who we are. */
  readonly user: string | undefined;
  /** The group: undefined for nobody but the daemon's user. */
  readonly socket: { readonly path: string; readonly group: string | undefined };
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly network: {
    /** Undefined lets chance choose. */
    readonly udpPorts: PortRange | undefined;
    /** TCP; 0 for being no relay, undefined lets the stack choose. */
    readonly relayPort: number | undefined;
    /** Undefined: those of the file, or where there is none the usual ones. Empty: none at all, and then there is no file. */
    readonly nodes: readonly NodeAddress[] | undefined;
    readonly nodesFile: string | undefined;
    readonly lanDiscovery: boolean;
    readonly portMapping: boolean;
    readonly proxy: Proxy | undefined;
  };
  readonly access: {
    readonly require: 'all' | 'any';
    readonly isOpen: boolean;
    readonly secretFile: string | undefined;
  };
  readonly targets: { readonly rulesFile: string | undefined };
  /** Undefined for none. */
  readonly http: { readonly listen: HostAndPort | undefined };
}

/** One setting as `config show` tells it. */
export interface EffectiveSetting {
  readonly key: string;
  readonly value: unknown;
  readonly isSensitive: boolean;
  readonly source: SettingSource;
  /** A file with a line, a variable, a flag; undefined for a default. */
  readonly place: string | undefined;
}

export interface LoadedSettings<Proxy> {
  readonly settings: DaemonSettings<Proxy>;
  /** Undefined when there is no file. */
  readonly file: string | undefined;
  /** All of them, in the order of the schema. */
  readonly effective: ReadonlyMap<string, EffectiveSetting>;
}

/** Everything that is wrong, one sentence a line of the message. */
export class SettingsError extends CodedError<'bad-settings'> {
  readonly faults: readonly string[];
  /** Those of them that show nothing of what is in the file: of flags, variables, and why it cannot be read. */
  readonly besideFile: readonly string[];

  constructor(faults: readonly string[], besideFile: readonly string[] = []) {
    super('bad-settings', faults.join('\n'));
    this.faults = faults;
    this.besideFile = besideFile;
  }
}

export interface SettingsInput<Proxy> {
  /** From --config; undefined when it was not given. */
  readonly configFile: string | undefined;
  readonly flags: readonly WrittenFlag[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @returns undefined for a text that says "none" @throws FormatError that does not show the text */
  readonly parseProxy: (text: string) => Proxy | undefined;
  /** Where the file is looked for when nobody names one. */
  readonly usualFile?: string;
  /** From which relative paths go; that of the process, unless given. */
  readonly directory?: string;
}

export const USUAL_CONFIG_FILE = '/etc/tuntox/tuntox.yaml';
/** bytes; the commented default has five thousand. */
const MAX_FILE_SIZE = 1024 * 1024;

/** Reads everything anew, for the start and for each reload. @throws SettingsError */
export function loadSettings<Proxy>(input: SettingsInput<Proxy>): LoadedSettings<Proxy> {
  const schema = schemaOf(input.parseProxy);
  const list = settingsIn(schema);
  const { file, layer, unread } = readFileLayer(input, list);
  const layers = [layer, layerOfEnvironment(input.environment, list), layerOfFlags(input.flags)];
  const written = layers.flatMap(({ values }) => values.map(withWordRead));
  const besideFile = [...unread, ...layers.slice(1).flatMap(faultsOfLayer)];
  const faults = [...faultsOfLayer(layer), ...besideFile];
  const chosen = new Map(written.map((value) => [value.setting.key, value]));
  if (faults.length === 0) faults.push(...contradictions(chosen, input.parseProxy));
  if (faults.length > 0) throw new SettingsError(faults, besideFile);
  const shape = completed(schema, nested(chosen));
  const effective = [...list.values()].map(({ key, usual, isSensitive }): [string, EffectiveSetting] => {
    const { value = usual, source = 'default', place } = chosen.get(key) ?? {};
    return [key, { key, value, isSensitive, source, place }];
  });
  return { settings: typed(shape, input), file, effective: new Map(effective) };
}

/** For people and programs: what is sensitive is shown as set, never as it is. */
export const shownValue = ({ value, isSensitive }: EffectiveSetting): unknown =>
  isSensitive && value !== '' ? '[set]' : value;

type WhereSettingsAre = Pick<SettingsInput<unknown>, 'configFile' | 'environment' | 'usualFile' | 'directory'>;

const namedFile = ({ configFile, environment }: WhereSettingsAre): string | undefined =>
  configFile ?? (environment[CONFIG_VARIABLE] || undefined);

/** The path of the file, whether it is there or not; whole, for whoever is shown it stands somewhere else. */
export const settingsFile = (input: WhereSettingsAre): string =>
  resolve(input.directory ?? '', namedFile(input) ?? input.usualFile ?? USUAL_CONFIG_FILE);

function readFileLayer<Proxy>(
  input: SettingsInput<Proxy>,
  list: SettingList,
): { readonly file: string | undefined; readonly layer: Layer; readonly unread: readonly string[] } {
  const [named, path] = [namedFile(input), settingsFile(input)];
  try {
    const text = readSmallFile(path, MAX_FILE_SIZE).toString('utf8');
    return { file: path, layer: layerOfFile(text, path, list), unread: [] };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    // A fresh machine has none, and that is fine; one that somebody named must be there.
    if (named === undefined && systemCodeOf(error.cause) === 'ENOENT')
      return { file: undefined, layer: NO_LAYER, unread: [] };
    const by = input.configFile !== undefined ? '--config' : named === undefined ? undefined : CONFIG_VARIABLE;
    return { file: path, layer: NO_LAYER, unread: [by === undefined ? error.message : `${by}: ${error.message}`] };
  }
}

const faultsOfLayer = ({ faults, values }: Layer): string[] => [
  ...faults,
  ...values.map(withWordRead).flatMap(faultsOf),
];

function faultsOf({ setting, value, place, itemPlaces }: WrittenValue): string[] {
  // Each entry by itself, so that each that is wrong is named, with its own line.
  const parts = Array.isArray(value)
    ? value.map((item, index) => ({ part: [item], item, where: itemPlaces[index] ?? place }))
    : [{ part: value, item: undefined, where: place }];
  return parts.flatMap(({ part, item, where }) => {
    try {
      if (isWordOf(setting, item)) throw new FormatError(`"${item}" stands alone: leave it out, or all other entries`);
      setting.check(part);
      return [];
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return [`${where}: ${setting.key}: ${error.message}`];
    }
  });
}

/** Values that are good each by itself. */
function contradictions(chosen: ReadonlyMap<string, WrittenValue>, parseProxy: (text: string) => unknown): string[] {
  const textOf = (key: string): string => String(chosen.get(key)?.value ?? '');
  const faults: string[] = [];
  const bootstrap = chosen.get('network.bootstrap');
  if (Array.isArray(bootstrap?.value) && bootstrap.value.length === 0 && textOf('network.nodes_file') !== '') {
    const place = chosen.get('network.nodes_file')?.place;
    const other = `network.nodes_file (${place}) names some: leave one of the two out`;
    faults.push(`${bootstrap.place}: network.bootstrap: it says that there are no nodes, and ${other}`);
  }
  const proxy = textOf('network.proxy');
  if (proxy === '' || parseProxy(proxy) === undefined) return faults;
  const opensPort = (key: string): boolean => !['', '0', 'auto'].includes(textOf(key));
  for (const key of ['network.udp_ports', 'network.relay_port'].filter(opensPort)) {
    const { place } = chosen.get(key) as WrittenValue;
    faults.push(`${place}: ${key}: it opens a port, and with a proxy there is none: leave it out, or network.proxy`);
  }
  return faults;
}

function nested(chosen: ReadonlyMap<string, WrittenValue>): object {
  const values: Record<string, unknown> = {};
  for (const [key, { value }] of chosen) {
    const [group, name] = key.split('.') as [string, string?];
    if (name === undefined) values[group] = value;
    else values[group] = { ...(values[group] as object | undefined), [name]: value };
  }
  return values;
}

/** Everything was checked, so nothing throws here. */
function typed<Proxy>(
  shape: SettingsShape,
  { parseProxy, directory = '' }: SettingsInput<Proxy>,
): DaemonSettings<Proxy> {
  const fileOrNone = (path: string): string | undefined => (path === '' ? undefined : resolve(directory, path));
  const { socket, log, network, access, targets, http } = shape;
  return deeplyFrozen({
    stateDirectory: shape.state_dir,
    user: orNone(shape.user),
    socket: { path: socket.path, group: orNone(socket.group) },
    log: { level: log.level as LogLevel, format: log.format as LogFormat },
    network: {
      udpPorts: network.udp_ports === '' ? undefined : parsePortRange(network.udp_ports),
      relayPort: network.relay_port === 'auto' ? undefined : parsePortOrNone(network.relay_port),
      nodes: network.bootstrap === AUTO ? undefined : network.bootstrap.map(parseNode),
      nodesFile: fileOrNone(network.nodes_file),
      lanDiscovery: network.lan_discovery,
      portMapping: network.port_mapping,
      proxy: network.proxy === '' ? undefined : parseProxy(network.proxy),
    },
    access: {
      require: access.require as 'all' | 'any',
      isOpen: access.open,
      secretFile: fileOrNone(access.secret_file),
    },
    targets: { rulesFile: fileOrNone(targets.rules_file) },
    http: { listen: http.listen === 'off' ? undefined : parseTarget(http.listen) },
  });
}

const orNone = (text: string): string | undefined => (text === '' ? undefined : text);

/** Objects and lists of ours; what has a class, such as a key, takes care of itself. */
function deeplyFrozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (!Array.isArray(value) && Object.getPrototypeOf(value) !== Object.prototype) return value;
  for (const inner of Object.values(value)) deeplyFrozen(inner);
  return Object.freeze(value);
}
