/** Reads the command line of `tuntox`: as getopt does, with long options too. */
import { CodedError } from '../../base/coded-error.js';
import { optionError, readWords } from '../../base/command-line.js';
import { nearest } from '../../base/nearest.js';
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

/** Commands with one argument each, and an example of it. Without a command, the flags choose the mode. */
export const COMMANDS = { share: '22', join: 'tuntox://…' } as const;

export interface CommandLine {
  /** Undefined for the classic command. */
  readonly command: { readonly name: keyof typeof COMMANDS; readonly argument: string } | undefined;
  readonly flags: readonly GivenFlag[];
}

/** @throws UsageError */
export function readCommandLine(words: readonly string[]): CommandLine {
  const [first = ''] = words;
  if (first === 'help') {
    return { command: undefined, flags: [{ flag: '--help', written: 'help', value: undefined }] };
  }
  const name = Object.hasOwn(COMMANDS, first) ? (first as keyof typeof COMMANDS) : undefined;
  const rest = name === undefined ? words : words.slice(1);
  const planned = Object.keys(PLANNED).map(
    (option) => ({ name: option, section: 'common', about: '' }) as TuntoxOption,
  );
  const found: string[] = [];
  const flags: GivenFlag[] = [];
  for (const word of readWords<TuntoxOption>(rest, [...OPTIONS, ...planned])) {
    if (word.kind === 'argument') found.push(word.value);
    else {
      if (word.written === '-D') refuseSocks(rest, word.index);
      flags.push(givenFlag(word.option, word.written, word.value));
    }
  }
  const [argument, unexpected] = name === undefined ? [undefined, ...found] : found;
  if (unexpected !== undefined) throw new UsageError(`unexpected argument "${unexpected}"${commandLike(unexpected)}`);
  if (name === undefined) return { command: undefined, flags };
  const isHelp = flags.some(({ flag }) => flag === '--help' || flag === '--version');
  if (argument === undefined && !isHelp) {
    throw new UsageError(`${name} needs an argument, as in: tuntox ${name} ${COMMANDS[name]}`);
  }
  return { command: { name, argument: argument ?? '' }, flags };
}

/** Commands stand first. */
function commandLike(word: string): string {
  const near = nearest(word, Object.keys(COMMANDS));
  if (near === undefined) return '';
  return near === word ? `: write ${word} before the options` : `: did you mean ${near}?`;
}

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
