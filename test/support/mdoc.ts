/** Parts of manual pages in the mdoc language. */

import { wrapped } from '../../src/base/columns.js';
import type { OptionSyntax } from '../../src/base/command-line.js';

type DescribedOption = OptionSyntax & { readonly about: string; readonly more?: string };

export const optionList = (options: readonly DescribedOption[]): string =>
  ['.Bl -tag -width indent\n', ...options.map(item), '.El\n'].join('');

function item({ name, short = '', value, isValueOptional, about, more }: DescribedOption): string {
  const shown = value === undefined ? '' : isValueOptional === true ? ` Ns Op = Ns Ar ${value}` : ` Ar ${value}`;
  const letters = [...short].map((letter) => `Fl ${letter} , `).join('');
  const text = prose(more === undefined ? sentence(about) : `${sentence(about)} ${more}`);
  return `.It ${letters}Fl ${name.slice(1)}${shown}\n${text}`;
}

export const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

/** One sentence per line, as mdoc demands, and no line longer than 80 characters. */
export const prose = (text: string): string =>
  `${escaped(text)
    .replace(/(?<=[A-Za-z0-9)\]]{2}[.:;]|-[A-Z][.:;]) (?=[A-Za-z"])/g, '\n')
    .split('\n')
    .flatMap((line) => wrapped(line, 80))
    .map(escapedStart)
    .join('\n')}\n`;

export const escaped = (text: string): string => escapedStart(text.replaceAll('\\', '\\e').replaceAll('…', '...'));

/** A line that begins with a dot or an apostrophe would be a macro. */
const escapedStart = (line: string): string => line.replace(/^([.'])/, '\\&$1');
