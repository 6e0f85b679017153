/** Reads the command line of `tuntox`: as getopt does, with long options too. */
import { CodedError } from '../../base/coded-error.js';
import { optionError, readWords } from '../../base/command-line.js';
import { didYouMean, similarNames } from '../../base/nearest.js';
import { CLASSIC_COMMAND, COMMANDS, type CommandName, commandsWith, type TuntoxCommand } from './commands.js';
import { OPTIONS, type OptionName, type TuntoxOption, type ValueOption } from './options.js';

/** A mistake on the command line; the message says how to correct it. */
export class UsageError extends CodedError<'usage'> {
  constructor(message: string) {
    super('usage', message);
  }
}

/** Options of a later version. They are refused by name: one that is silently ignored could admit clients. */
const PLANNED: Readonly<Record<string, string>> = {
  '--json': 'output as JSON',
};

export type GivenFlag = {
  /** As it was typed, such as `-L`; for messages. */
  readonly written: string;
} & (
  | { readonly flag: ValueOption; readonly value: string }
  | { readonly flag: Exclude<OptionName, ValueOption>; readonly value: undefined }
);

export type Form = CommandName | 'classic';

export interface CommandLine {
  /** `classic` without a command. */
  readonly form: Form;
  readonly arguments: readonly string[];
  readonly flags: readonly GivenFlag[];
}

/** @throws UsageError */
export function readCommandLine(words: readonly string[]): CommandLine {
  const [first = ''] = words;
  if (first === 'help') return readHelp(words.slice(1));
  const command = COMMANDS.find(({ name }) => name === first) ?? CLASSIC_COMMAND;
  const { found, flags } = readFlags(command === CLASSIC_COMMAND ? words : words.slice(1), command);
  const unexpected = found[command.arguments.most];
  if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"${commandLike(unexpected)}`);
  const isHelp = flags.some(({ flag }) => flag === '--help' || flag === '--version');
  if (found.length < command.arguments.least && !isHelp) {
    throw new UsageError(`${command.name} needs an argument, as in: tuntox ${command.name} ${command.example}`);
  }
  return { form: command.name, arguments: found, flags };
}

/** `tuntox help [COMMAND]` */
function readHelp([name, unexpected]: readonly string[]): CommandLine {
  if (unexpected !== undefined) throw new UsageError(`help explains one command: remove "${unexpected}"`);
  const command = COMMANDS.find((one) => one.name === name);
  if (name !== undefined && command === undefined) {
    throw new UsageError(`there is no command "${name}"${suggestion(name)}`);
  }
  return {
    form: command?.name ?? 'classic',
    arguments: [],
    flags: [{ flag: '--help', written: 'help', value: undefined }],
  };
}

function readFlags(words: readonly string[], command: TuntoxCommand): { found: string[]; flags: GivenFlag[] } {
  const planned = Object.keys(PLANNED).map(
    (option) => ({ name: option, section: 'common', about: '' }) as TuntoxOption,
  );
  const found: string[] = [];
  const flags: GivenFlag[] = [];
  for (const word of readWords<TuntoxOption>(words, [...OPTIONS, ...planned])) {
    if (word.kind === 'argument') found.push(word.value);
    else {
      if (word.written === '-D') refuseSocks(words, word.index);
      const flag = givenFlag(word.option, word.written, word.value);
      refuseForeign(flag, command);
      flags.push(flag);
    }
  }
  return { found, flags };
}

/** An option that is ignored could do harm. */
function refuseForeign({ flag, written }: GivenFlag, command: TuntoxCommand): void {
  if (command.options.includes(flag)) return;
  if (command !== CLASSIC_COMMAND) throw new UsageError(`${written} is not for ${command.name}: remove it`);
  const names = commandsWith(flag).map(({ name }) => `tuntox ${name}`);
  throw new UsageError(`${written} is only for ${names.join(' and ')}: remove it`);
}

const suggestion = (word: string): string => {
  const meant = didYouMean(
    similarNames(
      word,
      COMMANDS.map(({ name }) => name),
    ),
  );
  return meant === undefined ? '' : `: ${meant}`;
};

/** Commands stand first. */
const commandLike = (word: string): string =>
  COMMANDS.some(({ name }) => name === word) ? `: write ${word} before the options` : suggestion(word);

/** `-D` alone means the background. With `[BIND:]PORT` after it, as with ssh, it is a SOCKS5 proxy, which comes later. */
function refuseSocks(words: readonly string[], at: number): void {
  const word = words[at] as string;
  const attached = word.slice(word.indexOf('D') + 1);
  if ([attached, words[at + 1] ?? ''].some((text) => /^(?:[^\s-].*[:@])?[0-9]{1,5}$/.test(text))) {
    throw new UsageError('-D [BIND:]PORT (a SOCKS5 proxy) is not supported in this version: remove it');
  }
}

function givenFlag(option: TuntoxOption | undefined, written: string, value: string | undefined): GivenFlag {
  const planned = PLANNED[written];
  if (planned !== undefined)
    throw new UsageError(`${written} (${planned}) is not supported in this version: remove it`);
  const names = OPTIONS.map(({ name }) => name);
  const error = optionError({ option, written, value }, { names, example: option?.example ?? option?.value ?? '' });
  if (option === undefined || error !== undefined) throw new UsageError(error ?? '');
  return { flag: option.name, written, value } as GivenFlag;
}
