/** The mode of a command: its flags choose it, and it refuses those of other modes. */
import type { Form } from './commands.js';
import type { CommandLine, GivenFlag } from './flags.js';
import { CHOICES, type Mode, modesWith, OPTION_TABLE } from './option-table.js';
import type { OptionName } from './options.js';
import { UsageError } from './usage-error.js';

type Choice = keyof typeof CHOICES;

/** @throws UsageError for flags that do not belong together */
export function modeOf(line: CommandLine): Mode {
  const mode = chosenMode(line);
  const { form, flags } = line;
  const foreign = flags.find(({ flag }) => !modesWith(form, flag).includes(mode));
  if (foreign !== undefined) throw new UsageError(`${foreign.written} ${refusalOf(foreign.flag, mode, form)}`);
  return mode;
}

function chosenMode({ form, arguments: words, flags }: CommandLine): Mode {
  if (form === 'join') return words.length > 1 ? 'store' : 'forward';
  const choices = choicesOf(flags);
  const modes = new Set(choices.map(({ mode }) => mode));
  const [only] = modes;
  if (only === undefined) return withoutChoice(form);
  if (modes.size === 1) return only;
  const written = new Set(choices.filter(({ mode }) => mode !== 'node').map((choice) => choice.written));
  if (modes.has('node'))
    throw new UsageError(`a bootstrap node (--node) has no tunnels: remove ${listOf([...written])}`);
  throw new UsageError(`${listOf([...written])} cannot be combined: choose one`);
}

/** Returns the flags that choose a mode, in their order. */
export const choicesOf = (flags: readonly GivenFlag[]): (GivenFlag & { readonly mode: Choice })[] =>
  flags.flatMap((given) => {
    const mode = MODES.find((one) => (CHOICES[one] as readonly OptionName[]).includes(given.flag));
    return mode === undefined ? [] : [{ ...given, mode }];
  });

const MODES = Object.keys(CHOICES) as Choice[];

function withoutChoice(form: Form): Mode {
  if (form === 'classic') return 'server';
  if (form === 'host') return 'services';
  const [only] = Object.keys(OPTION_TABLE[form]) as Mode[];
  return only as Mode;
}

/** Says what is wrong with a flag in this mode, and what to do. */
function refusalOf(flag: OptionName, mode: Mode, form: Form): string {
  if (mode === 'node') return 'is not for bootstrap nodes: remove it';
  if (mode === 'store') return 'is not for join with a name, which only stores the host: remove it';
  if (mode === 'services') return 'needs -L, -R, or -D with a port, as in -D 1080: add one, or remove it';
  return `is only for ${namesOf(modesWith(form, flag))}: remove it${mode === 'server' ? ', or add one of these' : ''}`;
}

const MODE_NAMES: Readonly<Partial<Record<Mode, readonly string[]>>> = {
  server: ['servers'],
  node: ['bootstrap nodes'],
  forward: ['-L', '-D', '-R'],
  pipe: ['-W'],
  ping: ['-p'],
};

/** Returns what people type, or say, for some modes. */
export const namesOf = (modes: readonly Mode[]): string => listOf(modes.flatMap((mode) => MODE_NAMES[mode] ?? []));

const listOf = (names: readonly string[]): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
