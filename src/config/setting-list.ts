/** The settings of the daemon one by one, by the names that they have in the file, in the environment and as flags. */
import type { SettingsSchema } from './schema.js';

export interface SettingDescription {
  /** In the file: `network.udp_ports`. */
  readonly key: string;
  /** In the environment: `TUNTOX_NETWORK_UDP_PORTS`. */
  readonly variable: string;
  /** On the command line: `--network-udp-ports`. */
  readonly flag: string;
  readonly doc: string;
  readonly usual: unknown;
  readonly kind: 'text' | 'list' | 'yes-or-no';
  /** Each stands alone in the place of a list, for the value here. */
  readonly words: Readonly<Record<string, unknown>>;
  /** Never to be shown. */
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
  /** Of a list. */
  readonly words?: Readonly<Record<string, unknown>>;
}

export function settingsIn(schema: SettingsSchema): SettingList {
  const list = new Map<string, SettingDescription>();
  const walk = (node: object, prefix: string): void => {
    for (const [name, inner] of Object.entries(node)) {
      const key = prefix === '' ? name : `${prefix}.${name}`;
      if (isLeaf(inner)) list.set(key, describe(key, inner));
      else walk(inner, key);
    }
  };
  walk(schema, '');
  return list;
}

/** `network`, but no key that holds a value. */
export function groupsOf(list: SettingList): ReadonlySet<string> {
  return new Set([...list.keys()].flatMap((key) => (key.includes('.') ? [key.slice(0, key.indexOf('.'))] : [])));
}

const isLeaf = (node: object): node is Leaf => Object.hasOwn(node, 'default');

function describe(key: string, leaf: Leaf): SettingDescription {
  const { doc, format, default: usual, env, sensitive, words } = leaf;
  const kind = words !== undefined ? 'list' : typeof usual === 'boolean' ? 'yes-or-no' : 'text';
  const flag = `--${key.replace(/[._]/g, '-')}`;
  const isSensitive = sensitive === true;
  return { key, variable: env, flag, doc, usual, kind, words: words ?? {}, isSensitive, check: format };
}
