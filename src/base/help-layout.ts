/** The layout of help: at most 80 columns. Pure. */

import { wrapped } from './columns.js';
import type { OptionSyntax } from './command-line.js';

export const HELP_COLUMNS = 80;
const INDENT = 2;
/** Columns of an option or command, beside which it is explained. */
const TERM = 26;

export const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;

/** Explains a term beside it, or below a long one. */
export function entry(term: string, about: string, width = TERM): string {
  const text = wrapped(about, HELP_COLUMNS - INDENT - width);
  const first = term.length < width ? term.padEnd(width) + (text.shift() ?? '') : term;
  return [' '.repeat(INDENT) + first, ...text.map((line) => ' '.repeat(INDENT + width) + line)].join('\n');
}

export function optionEntry({
  name,
  short = '',
  value,
  isValueOptional,
  about,
}: OptionSyntax & { readonly about: string }): string {
  const letters = [...short].map((letter) => `-${letter}, `).join('');
  const shown = value === undefined ? '' : isValueOptional === true ? `[=${value}]` : ` ${value}`;
  return entry(`${letters}${name}${shown}`, about);
}

export const paragraph = (text: string): string => wrapped(text, HELP_COLUMNS).join('\n');
