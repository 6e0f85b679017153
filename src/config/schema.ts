/** The only file that imports convict: every setting of the daemon with its meaning, its default and its environment variable. */
import convict from 'convict';
import { MAX_UNIX_PATH } from '../base/unix-path.js';
import { SYSTEM_PATHS } from './daemon-paths.js';
import { FormatError } from './format-error.js';
import { parseNode, parsePortOrNone, parsePortRange, parseTarget } from './formats.js';
import { parseProxyOrNone } from './proxy.js';

/** The texts of the settings; '' means "not set". */
export interface SettingsShape {
  state_dir: string;
  user: string;
  socket: { path: string; group: string };
  agent: { users: string };
  log: { level: string; format: string };
  network: {
    udp_ports: string;
    relay_port: string;
    bootstrap: string[] | typeof AUTO;
    nodes_file: string;
    lan_discovery: boolean;
    port_mapping: boolean;
    proxy: string;
  };
  access: { require: string; open: boolean; secret_file: string };
  targets: { rules_file: string; any: boolean; speed_test: boolean; source: string };
  http: { listen: string };
}

/** The default is determined at the start. */
export const AUTO = 'auto';

export type SettingSource = 'default' | 'file' | 'environment' | 'flag';

/** Checks a text with its parser. */
const text =
  (parse: (value: string) => unknown, options: { readonly mayBeEmpty: boolean }) =>
  (value: unknown): void => {
    // YAML reads 0 and 33445 as numbers.
    if (typeof value !== 'string' && typeof value !== 'number') throw new FormatError('use a single value');
    if (!(options.mayBeEmpty && value === '')) parse(String(value));
  };
const optional = (parse: (value: string) => unknown) => text(parse, { mayBeEmpty: true });

const oneOf =
  (...words: readonly string[]) =>
  (value: unknown): void => {
    if (!words.includes(value as string)) throw new FormatError(`use one of ${words.join(', ')}`);
  };

function absolutePath(value: string): void {
  if (!value.startsWith('/')) throw new FormatError(`"${value}" is not an absolute path: start it with /`);
}

function socketPath(value: string): void {
  absolutePath(value);
  const length = Buffer.byteLength(value);
  if (length <= MAX_UNIX_PATH) return;
  throw new FormatError(
    `the path of a socket has at most ${MAX_UNIX_PATH} bytes, this one has ${length}: use a shorter one`,
  );
}

function yesOrNo(value: unknown): void {
  if (typeof value !== 'boolean') throw new FormatError('use true or false');
}

/** Words that may be used instead of a list of nodes, and what they mean. */
const NODE_WORDS = { [AUTO]: AUTO, none: [] } as const;

function nodes(value: unknown): void {
  if (value === AUTO) return;
  if (!Array.isArray(value)) {
    throw new FormatError(
      'use a list with entries such as - 192.0.2.1:33445:F404AB…, or one of the words none and auto',
    );
  }
  for (const node of value) parseNode(String(node));
}

function loopback(value: string): void {
  if (value === 'off') return;
  const { host } = parseTarget(value);
  if (host !== '127.0.0.1' && host !== '::1' && host !== 'localhost') {
    throw new FormatError(`"${host}" is not a loopback address: listen on localhost, 127.0.0.1 or [::1]`);
  }
}

export const SCHEMA: convict.Schema<SettingsShape> = {
  state_dir: {
    doc: 'The directory with the identity, the whitelist and the secret.',
    format: text(absolutePath, { mayBeEmpty: false }),
    default: SYSTEM_PATHS.stateDirectory,
    env: 'TUNTOX_STATE_DIR',
  },
  user: {
    doc: 'The user to switch to when started as root; leave it out under systemd.',
    format: optional(() => {}),
    default: '',
    env: 'TUNTOX_USER',
  },
  socket: {
    path: {
      doc: 'The control socket.',
      format: text(socketPath, { mayBeEmpty: false }),
      default: SYSTEM_PATHS.socket,
      env: 'TUNTOX_SOCKET',
    },
    group: {
      doc: 'The group whose members may use the control socket.',
      format: optional(() => {}),
      default: SYSTEM_PATHS.group,
      env: 'TUNTOX_SOCKET_GROUP',
    },
  },
  agent: {
    users: {
      doc: 'Who may reach the targets of the forwards through agent.sock: none, group (that of the control socket) or all.',
      format: oneOf('none', 'group', 'all'),
      default: 'none',
      env: 'TUNTOX_AGENT_USERS',
    },
  },
  log: {
    level: {
      doc: 'Log level: error, warn, info, debug or trace.',
      format: oneOf('error', 'warn', 'info', 'debug', 'trace'),
      default: 'info',
      env: 'TUNTOX_LOG_LEVEL',
    },
    format: {
      doc: 'Log format: plain, json or journal; auto means journal under systemd, plain elsewhere.',
      format: oneOf('auto', 'plain', 'json', 'journal'),
      default: 'auto',
      env: 'TUNTOX_LOG_FORMAT',
    },
  },
  network: {
    udp_ports: {
      doc: 'The first and last UDP port to choose from, such as 33445:33545; random by default.',
      format: optional(parsePortRange),
      default: '',
      env: 'TUNTOX_NETWORK_UDP_PORTS',
    },
    relay_port: {
      doc: 'The TCP port on which the daemon is a relay for other peers; auto, or 0 for no relay.',
      format: text((value) => value === 'auto' || parsePortOrNone(value), { mayBeEmpty: false }),
      default: 'auto',
      env: 'TUNTOX_NETWORK_RELAY_PORT',
    },
    bootstrap: {
      doc: 'Bootstrap nodes as HOST:PORT:KEY; no others are asked. auto means the public ones, none no nodes.',
      format: nodes,
      words: NODE_WORDS,
      default: AUTO,
      env: 'TUNTOX_NETWORK_BOOTSTRAP',
    },
    nodes_file: {
      doc: 'A file with bootstrap nodes, in the format of https://nodes.tox.chat/json.',
      format: optional(absolutePath),
      default: '',
      env: 'TUNTOX_NETWORK_NODES_FILE',
    },
    lan_discovery: {
      doc: 'Search for peers on the local network. Without effect if bootstrap nodes are given.',
      format: yesOrNo,
      default: true,
      env: 'TUNTOX_NETWORK_LAN_DISCOVERY',
    },
    port_mapping: {
      doc: 'Ask the router to open ports (NAT-PMP, PCP, UPnP).',
      format: yesOrNo,
      default: true,
      env: 'TUNTOX_NETWORK_PORT_MAPPING',
    },
    proxy: {
      doc: 'Send all Tox traffic through this proxy: socks5://HOST:PORT or http://HOST:PORT.',
      format: optional(parseProxyOrNone),
      default: '',
      env: 'TUNTOX_NETWORK_PROXY',
      sensitive: true,
    },
  },
  access: {
    require: {
      doc: 'all: a client needs the secret and a whitelist entry, if both exist; any: one of them.',
      format: oneOf('all', 'any'),
      default: 'all',
      env: 'TUNTOX_ACCESS_REQUIRE',
    },
    open: {
      doc: 'Admit every client that knows the Tox ID, if there is neither a secret nor a whitelist.',
      format: yesOrNo,
      default: false,
      env: 'TUNTOX_ACCESS_OPEN',
    },
    secret_file: {
      doc: 'A file with the shared secret, instead of the one that tuntoxctl manages.',
      format: optional(absolutePath),
      default: '',
      env: 'TUNTOX_ACCESS_SECRET_FILE',
    },
  },
  targets: {
    rules_file: {
      doc: 'A file with the targets that clients may reach beside the services, one HOST:PORT per line.',
      format: optional(absolutePath),
      default: '',
      env: 'TUNTOX_TARGETS_RULES_FILE',
    },
    any: {
      doc: 'Without a rules file, let clients reach every target although there are services.',
      format: yesOrNo,
      default: false,
      env: 'TUNTOX_TARGETS_ANY',
    },
    speed_test: {
      doc: 'Let clients measure the speed of their connection (tuntox speed NAME).',
      format: yesOrNo,
      default: true,
      env: 'TUNTOX_TARGETS_SPEED_TEST',
    },
    source: {
      doc: 'The source address of connections to targets on loopback: shared, or per-client for one of each client.',
      format: oneOf('shared', 'per-client'),
      default: 'shared',
      env: 'TUNTOX_TARGETS_SOURCE',
    },
  },
  http: {
    listen: {
      doc: 'Serve metrics and health over HTTP on this loopback address, such as 127.0.0.1:9101; or off.',
      format: text(loopback, { mayBeEmpty: false }),
      default: 'off',
      env: 'TUNTOX_HTTP_LISTEN',
    },
  },
};

/** Completes checked values with the defaults. @param values an object of objects */
export function completed(values: object): SettingsShape {
  // convict's own reader of variables and flags takes "flase" for true, and reports only the first error.
  const config = convict(SCHEMA, { env: {}, args: [] });
  config.load(values);
  config.validate({ allowed: 'strict', output: () => {} });
  return config.getProperties();
}
