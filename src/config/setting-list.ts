/** The list of all settings of the daemon, with their names in the file, in the environment and as flags. */
import { SCHEMA } from './schema.js';

export interface SettingDescription {
  /** The name in the file: `network.udp_ports`. */
  readonly key: string;
  /** The name in the environment: `TUNTOX_NETWORK_UDP_PORTS`. */
  readonly variable: string;
  /** The name on the command line: `--network-udp-ports`. */
  readonly flag: string;
  readonly doc: string;
  readonly defaultValue: unknown;
  readonly kind: 'text' | 'list' | 'yes-or-no';
  /** Words that may be used instead of a list, and the values that they mean. */
  readonly words: Readonly<Record<string, unknown>>;
  /** Whether the value is never shown. */
  readonly isSensitive: boolean;
  /** @throws FormatError */
  readonly check: (value: unknown) => void;
}

export type SettingList = ReadonlyMap<string, SettingDescription>;

interface Leaf {
  readonly doc: string;
  readonly format: (value: unknown) => void;
  readonly default: unknown;
  readonly env: string;
  readonly sensitive?: boolean;
  readonly words?: Readonly<Record<string, unknown>>;
}

const isLeaf = (node: object): node is Leaf => Object.hasOwn(node, 'default');

function describe(key: string, leaf: Leaf): SettingDescription {
  const { doc, format, default: defaultValue, env, sensitive, words } = leaf;
  const kind = words !== undefined ? 'list' : typeof defaultValue === 'boolean' ? 'yes-or-no' : 'text';
  const flag = `--${key.replace(/[._]/g, '-')}`;
  const isSensitive = sensitive === true;
  return { key, variable: env, flag, doc, defaultValue, kind, words: words ?? {}, isSensitive, check: format };
}

function descriptionsIn(node: object, prefix: string): [string, SettingDescription][] {
  return Object.entries(node).flatMap(([name, inner]) => {
    const key = prefix === '' ? name : `${prefix}.${name}`;
    return isLeaf(inner) ? [[key, describe(key, inner)]] : descriptionsIn(inner, key);
  });
}

export const SETTING_LIST: SettingList = new Map(descriptionsIn(SCHEMA, ''));

/** The groups, such as `network`. */
export const SETTING_GROUPS: ReadonlySet<string> = new Set(
  [...SETTING_LIST.keys()].flatMap((key) => (key.includes('.') ? [key.slice(0, key.indexOf('.'))] : [])),
);
