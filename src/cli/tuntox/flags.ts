/** Reads the command line of `tuntox`: as getopt does, with long options too. */
import { CodedError } from '../../base/coded-error.js';
import { optionError, readWords } from '../../base/command-line.js';
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

/** Returns the flags in their order. @throws UsageError */
export function readFlags(words: readonly string[]): GivenFlag[] {
  if (words[0] === 'help') return [{ flag: '--help', written: 'help', value: undefined }];
  const planned = Object.keys(PLANNED).map((name) => ({ name, section: 'common', about: '' }) as TuntoxOption);
  return readWords<TuntoxOption>(words, [...OPTIONS, ...planned]).map((word) => {
    if (word.kind === 'argument') throw new UsageError(`unexpected argument "${word.value}"`);
    if (word.written === '-D') refuseSocks(words, word.index);
    return givenFlag(word.option, word.written, word.value);
  });
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
