/**
 * Which options each command takes, in each of its modes. An option that is ignored could do harm, so all others are refused. The
 * parser, the choice of the mode, help, manual and completion ask this table.
 */
import type { RunSettings } from '../../config/classic-settings.js';
import { COMMANDS, type Form, type TuntoxCommand } from './commands.js';
import type { OptionName, TuntoxOption } from './options.js';

/** Commands that start no engine are modes of their own. */
export type Mode = RunSettings['mode'] | 'ssh' | 'ssh-config' | 'list' | 'forget' | 'id';

type Options = readonly OptionName[];

const HELP: Options = ['--version', '--help'];
const LOG: Options = ['--syslog', '--verbose', '--quiet', '--no-color', ...HELP];
const JOINING: Options = ['--nodes-file', '--bootstrap', '--udp-ports', '--relay-port', '--proxy'];
export const NETWORK_OPTIONS: Options = [...JOINING, '--no-port-mapping'];
/** Of each mode that has a Tox ID. */
const COMMON: Options = ['--state-dir', '--id-file', '--json', ...NETWORK_OPTIONS, ...LOG];
/** A stored host and a link say this themselves. */
const PEER: Options = ['--identity', '--secret', '--secret-file'];
/** Another program waits for the output of a pipe or a ping, so these stay in the foreground. */
const LASTING: Options = ['--background', '--pid-file'];
const SERVICE: Options = [...LASTING, '--user'];
const WAITING: Options = ['--timeout', '--max-retries'];
const CLIENT: Options = [...WAITING, ...COMMON];
const SSH: Options = ['--state-dir', ...WAITING, ...NETWORK_OPTIONS, ...HELP];

/** The options that choose a mode, for a command that has several. */
export const CHOICES = {
  node: ['--node'],
  forward: ['--forward', '--dynamic', '--reverse'],
  pipe: ['--pipe', '--ssh-pipe'],
  ping: ['--ping'],
} as const satisfies Partial<Record<Mode, Options>>;

const FORWARD: Options = [...CHOICES.forward, '--socks-auth', '--idle-timeout', ...LASTING, ...CLIENT];
const PIPE: Options = [...CHOICES.pipe, ...CLIENT];
const PING: Options = [...CHOICES.ping, ...CLIENT];

export const OPTION_TABLE: Readonly<Record<Form, Readonly<Partial<Record<Mode, Options>>>>> = {
  share: { share: ['--for', '--uses', '--qr', ...SERVICE, ...COMMON] },
  join: { forward: FORWARD, store: CLIENT },
  ssh: { ssh: SSH },
  'ssh-config': { 'ssh-config': SSH },
  list: { list: HELP },
  ping: { ping: CLIENT },
  speed: { speed: CLIENT },
  forget: { forget: HELP },
  id: { id: ['--state-dir', '--quiet', ...HELP] },
  agent: { agent: ['--idle-timeout', ...NETWORK_OPTIONS, ...LOG] },
  host: { forward: FORWARD, pipe: PIPE, ping: PING, services: CLIENT },
  classic: {
    server: ['--rules-file', '--insecure-open', '--allow-reverse', ...SERVICE, ...PEER, ...COMMON],
    node: [...CHOICES.node, ...SERVICE, '--state-dir', ...JOINING, ...LOG],
    forward: [...FORWARD, ...PEER],
    pipe: [...PIPE, ...PEER],
    ping: [...PING, ...PEER],
  },
};

/** Whether a command takes an option, in any of its modes. */
export const takes = (form: Form, option: OptionName): boolean => modesWith(form, option).length > 0;

/** Returns the modes of a command that have an option. */
export const modesWith = (form: Form, option: OptionName): Mode[] =>
  (Object.keys(OPTION_TABLE[form]) as Mode[]).filter((mode) => OPTION_TABLE[form][mode]?.includes(option));

/** Returns the commands with a name that have an option. */
export const commandsWith = (option: OptionName): TuntoxCommand[] => COMMANDS.filter(({ name }) => takes(name, option));

export type Section = 'share' | 'server' | 'client' | 'common';

/** Returns where the help of all options explains one. */
export function sectionOf({ name }: TuntoxOption & { readonly name: OptionName }): Section {
  const modes = modesWith('classic', name);
  if (modes.length === 0) return 'share';
  if (!modes.includes('server') && !modes.includes('node')) return 'client';
  return modes.includes('ping') ? 'common' : 'server';
}
