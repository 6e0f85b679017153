/** Reads a command line in GNU's grammar: `-dd`, `-L2222:…`, `-L 2222:…`, `--forward=…`, `--`. Pure. */
import { parseArgs } from 'node:util';
import { didYouMean, similarNames } from './nearest.js';

/** How an option is written. */
export interface OptionSyntax {
  readonly name: `--${string}`;
  /** One letter; or several, each of which means this option. */
  readonly short?: string;
  /** The placeholder of the value. An option without it takes no value. */
  readonly value?: string;
  /** Whether the value may be omitted; it is then written as in `--wait=30s`. */
  readonly isValueOptional?: boolean;
}

export type Word<Option> =
  | { readonly kind: 'argument'; readonly value: string; readonly index: number }
  | {
      readonly kind: 'option';
      /** Undefined when there is no such option. */
      readonly option: Option | undefined;
      /** The option as it was typed, such as `-L`. */
      readonly written: string;
      readonly value: string | undefined;
      /** Whether the value was written as in `--name=value` or `-nvalue`. */
      readonly isInline: boolean;
      /** The place in the command line. */
      readonly index: number;
    };

/** Returns the words in their order. A value may look like an option: the caller checks that. */
export function readWords<Option extends OptionSyntax>(
  words: readonly string[],
  options: readonly Option[],
): Word<Option>[] {
  const { tokens } = parseArgs({
    args: [...words],
    options: Object.fromEntries(options.flatMap(parserOptions)),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const found: Word<Option>[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') found.push({ kind: 'argument', value: token.value, index: token.index });
    if (token.kind !== 'option') continue;
    const { rawName: written, value, inlineValue, index } = token;
    const option = options.find((one) => isWritten(one, written));
    found.push({ kind: 'option', option, written, value, isInline: inlineValue === true, index });
  }
  return found;
}

/** Letters alone resemble any other one. */
const MIN_SUGGESTED = 4;

/** Returns what is wrong with an option as it was written; undefined if nothing is. It does not show the value, which may be a secret. */
export function optionError(
  { option, written, value }: { option: OptionSyntax | undefined; written: string; value: string | undefined },
  { names, example }: { readonly names: readonly string[]; readonly example: string },
): string | undefined {
  if (option === undefined) {
    const meant = written.length < MIN_SUGGESTED ? undefined : didYouMean(similarNames(written, names));
    return `unknown option ${written}${meant === undefined ? '' : `: ${meant}`}`;
  }
  if (option.value === undefined) return value === undefined ? undefined : `${written} takes no value: remove it`;
  if (value || (value === undefined && option.isValueOptional === true)) return undefined;
  return `${written} needs a value, such as ${written} ${example}`;
}

const isWritten = ({ name, short = '' }: OptionSyntax, written: string): boolean =>
  written === name || (/^-[^-]$/.test(written) && short.includes(written.charAt(1)));

/** The parser allows one letter for an option: each further one is an option for it, named by its letter. */
function parserOptions({ name, short = '', value, isValueOptional }: OptionSyntax) {
  const type: 'string' | 'boolean' = value === undefined || isValueOptional === true ? 'boolean' : 'string';
  const [first, ...others] = short;
  return [
    [name.slice(2), { type, ...(first === undefined ? {} : { short: first }) }],
    ...others.map((letter) => [letter, { type, short: letter }]),
  ] as [string, { type: typeof type; short?: string }][];
}
