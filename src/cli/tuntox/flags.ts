/** Reads the command line of `tuntox`: as getopt does, with long options too. */
import { ALIAS } from '../../base/alias.js';
import { optionError, readWords } from '../../base/command-line.js';
import { isPlaceText } from '../../base/local-place.js';
import { didYouMean, similarNames } from '../../base/nearest.js';
import { CLASSIC_COMMAND, COMMANDS, type Form, HOST_COMMAND, type TuntoxCommand } from './commands.js';
import { commandsWith, takes } from './option-table.js';
import { OPTIONS, type OptionName, type TuntoxOption, type ValueOption } from './options.js';
import { splitOwnOptions } from './ssh-words.js';
import { UsageError } from './usage-error.js';

export type GivenFlag = {
  /** As it was typed, such as `-L`; for messages. */
  readonly written: string;
} & (
  | { readonly flag: ValueOption; readonly value: string }
  | { readonly flag: Exclude<OptionName, ValueOption>; readonly value: undefined }
);

export interface CommandLine {
  readonly form: Form;
  /** What follows the command, or begins with the name of the host. */
  readonly arguments: readonly string[];
  readonly flags: readonly GivenFlag[];
}

/** Returns the first word if it is neither an option nor a command: it should be the name of a host. */
export function hostNameOf([first = '']: readonly string[]): string | undefined {
  const isOther =
    first === '' || first.startsWith('-') || first === 'help' || COMMANDS.some(({ name }) => name === first);
  return isOther ? undefined : first;
}

type AnyCommand = TuntoxCommand & { readonly name: Form };

/** @throws UsageError */
export function readCommandLine(words: readonly string[]): CommandLine {
  const [first = ''] = words;
  if (first === 'help') return readHelp(words.slice(1));
  const noCommand = hostNameOf(words) === undefined ? CLASSIC_COMMAND : HOST_COMMAND;
  const command = COMMANDS.find(({ name }) => name === first) ?? noCommand;
  const isNamed = command !== CLASSIC_COMMAND && command !== HOST_COMMAND;
  if (command.name === 'ssh') return readSsh(words.slice(1), command);
  const { found, flags } = readFlags(isNamed ? words.slice(1) : words, command);
  const unexpected = found[command.arguments.most];
  if (unexpected !== undefined) {
    const advice = (isNamed ? undefined : commandLike(unexpected)) ?? 'remove it';
    throw new UsageError(`unexpected argument "${unexpected}": ${advice}`);
  }
  const isHelp = flags.some(({ flag }) => flag === '--help' || flag === '--version');
  if (found.length < command.arguments.least && !isHelp) {
    throw new UsageError(`${command.name} needs an argument, as in: tuntox ${command.name} ${command.example}`);
  }
  return { form: command.name, arguments: found, flags };
}

/** All words but our long options are those of ssh. */
function readSsh(words: readonly string[], command: AnyCommand): CommandLine {
  const hasValue = (word: string): boolean => OPTIONS.some((option) => option.name === word && 'value' in option);
  const { own, theirs } = splitOwnOptions(words, hasValue);
  const help = theirs[0] === '-h' ? ['-h'] : [];
  return { form: 'ssh', arguments: theirs, flags: readFlags([...own, ...help], command).flags };
}

/** `tuntox help [COMMAND]` */
function readHelp([name, unexpected]: readonly string[]): CommandLine {
  if (unexpected !== undefined) throw new UsageError(`help explains one command: remove "${unexpected}"`);
  const command = COMMANDS.find((one) => one.name === name);
  if (name !== undefined && command === undefined) {
    const meant = suggestion(name);
    throw new UsageError(`there is no command "${name}"${meant === undefined ? '' : `: ${meant}`}`);
  }
  return {
    form: command?.name ?? 'classic',
    arguments: [],
    flags: [{ flag: '--help', written: 'help', value: undefined }],
  };
}

function readFlags(words: readonly string[], command: AnyCommand): { found: string[]; flags: GivenFlag[] } {
  const found: string[] = [];
  const flags: GivenFlag[] = [];
  /** The last word that -D took. */
  let taken = -1;
  for (const word of readWords<TuntoxOption>(words, PARSED)) {
    if (word.index <= taken) continue;
    if (word.kind === 'argument') {
      found.push(word.value);
      continue;
    }
    const place = word.written === '-D' ? placeAfter(words, word.index, command) : undefined;
    if (place !== undefined) taken = place.index;
    const flag: GivenFlag =
      place === undefined
        ? givenFlag(word.option, word.written, word.value)
        : { flag: '--dynamic', written: '-D', value: place.text };
    refuseForeign(flag, command);
    flags.push(flag);
  }
  return { found, flags };
}

/** Upstream's -D has no value, and means the background. */
const PARSED: readonly TuntoxOption[] = OPTIONS.map((option: TuntoxOption) => {
  if (option.name === '--background') return { ...option, short: `${option.short}D` };
  if (option.name !== '--dynamic') return option;
  const { short: _short, ...rest } = option;
  return rest;
});

/** An option that is ignored could do harm. */
function refuseForeign({ flag, written }: GivenFlag, command: AnyCommand): void {
  if (takes(command.name, flag)) return;
  if (command !== CLASSIC_COMMAND) {
    const name = command === HOST_COMMAND ? 'stored hosts' : command.name;
    throw new UsageError(`${written} is not for ${name}: remove it`);
  }
  const names = commandsWith(flag).map(({ name }) => `tuntox ${name}`);
  throw new UsageError(`${written} is only for ${names.join(' and ')}: remove it`);
}

function suggestion(word: string): string | undefined {
  const names = COMMANDS.map(({ name }) => name);
  return didYouMean(similarNames(word, names));
}

/** Commands and hosts stand first. */
function commandLike(word: string): string | undefined {
  if (COMMANDS.some(({ name }) => name === word)) return `write ${word} before the options`;
  return suggestion(word) ?? (ALIAS.test(word) ? 'the name of a host stands before the options' : undefined);
}

/** `-D` alone means the background. With a place after it, as with ssh, that is where programs ask for targets. */
function placeAfter(
  words: readonly string[],
  at: number,
  command: AnyCommand,
): { readonly text: string; readonly index: number } | undefined {
  if (!takes(command.name, '--dynamic')) return undefined;
  const word = words[at] as string;
  const attached = word.slice(word.indexOf('D') + 1);
  if (isPlaceText(attached)) return { text: attached, index: at };
  const next = words[at + 1] ?? '';
  // Without a command nothing else can follow an option.
  const isValue =
    isPlaceText(next) || (/^[^-]/.test(next) && (command === CLASSIC_COMMAND || command === HOST_COMMAND));
  return attached === '' && isValue ? { text: next, index: at + 1 } : undefined;
}

function givenFlag(option: TuntoxOption | undefined, written: string, value: string | undefined): GivenFlag {
  const names = OPTIONS.map(({ name }) => name);
  const error = optionError({ option, written, value }, { names, example: option?.example ?? option?.value ?? '' });
  if (option === undefined || error !== undefined) throw new UsageError(error ?? '');
  return { flag: option.name, written, value } as GivenFlag;
}
