/** Help, made from the descriptions of the commands; no line is wider than 80 columns. Pure. */
import { wrapped } from '../columns.js';
import type { Description, Option } from './description.js';
import { GLOBAL_OPTIONS, optionsOf } from './given.js';

const COLUMNS = 80;
const INDENT = 2;
/** Columns of what is explained beside it. */
const TERM = 26;

/** @param path nothing, a noun, or noun and verb */
export function helpText(path: readonly string[], commands: readonly Description[]): string {
  const chosen = commands.filter((command) => path.every((word, index) => command.path[index] === word));
  const [only] = chosen;
  if (path.length > 0 && chosen.length === 1 && only !== undefined) return helpOfCommand(only);
  return path.length === 0 ? helpOfAll(commands) : helpOfNoun(path[0] as string, chosen);
}

function helpOfAll(commands: readonly Description[]): string {
  return lines(
    'tuntoxctl - manage the daemon tuntoxd over its control socket',
    '',
    'tuntoxctl [options] COMMAND [arguments]; tuntoxctl COMMAND -h shows more of one',
    '',
    ...commands.map((command) => entry(nameOf(command), command.about)),
    '',
    'Options of all commands:',
    ...GLOBAL_OPTIONS.map(optionEntry),
    '',
    'A CLIENT is an alias, the first 6 digits of its key or more, its key or Tox ID.',
    ...wrapped(
      'Exit status: 0 done, 1 failed, 2 called wrongly, 3 the daemon is not running, 4 no permission, 5 not found or ambiguous, 6 degraded, 7 timeout, 130 ended by Ctrl-C.',
      COLUMNS,
    ),
  );
}

function helpOfNoun(noun: string, commands: readonly Description[]): string {
  const usual = commands.find(({ isDefault }) => isDefault);
  return lines(
    `tuntoxctl ${noun} ${commands.map(({ path }) => path[1]).join('|')}`,
    '',
    ...commands.map((command) => entry(nameOf(command), command.about)),
    ...(usual === undefined ? [] : ['', `Without a verb: ${usual.path.join(' ')}.`]),
    '',
    `tuntoxctl ${noun} VERB -h shows more of one, with examples.`,
  );
}

function helpOfCommand(command: Description): string {
  const { path, about, more, examples } = command;
  const options = optionsOf(command);
  const name = path.join(' ');
  const sentence = `${about.charAt(0).toUpperCase()}${about.slice(1)}.${more === undefined ? '' : ` ${more}`}`;
  return lines(
    `tuntoxctl ${[nameOf(command), ...(options.length > 0 ? ['[options]'] : [])].join(' ')}`,
    '',
    ...wrapped(sentence, COLUMNS),
    '',
    ...(options.length === 0 ? [] : ['Options:', ...options.map(optionEntry), '']),
    'Examples:',
    ...examples.map((example) => `  tuntoxctl ${`${name} ${example}`.trim()}`),
    '',
    ...wrapped(`Also ${GLOBAL_OPTIONS.map(({ name: one }) => one).join(', ')}: see tuntoxctl -h.`, COLUMNS),
  );
}

const nameOf = ({ path, arguments: words = [] }: Description): string =>
  [...path, ...words.map(({ name, isOptional }) => (isOptional === true ? `[${name}]` : name))].join(' ');

function optionEntry({ name, short, value, isValueOptional, about }: Option): string {
  const shown = value === undefined ? '' : isValueOptional === true ? `[=${value}]` : ` ${value}`;
  return entry(`${short === undefined ? '' : `-${short}, `}${name}${shown}`, about);
}

function entry(term: string, about: string): string {
  const text = wrapped(about, COLUMNS - INDENT - TERM);
  const first = term.length < TERM ? term.padEnd(TERM) + (text.shift() ?? '') : term;
  return [' '.repeat(INDENT) + first, ...text.map((line) => ' '.repeat(INDENT + TERM) + line)].join('\n');
}

const lines = (...all: readonly string[]): string => `${all.join('\n')}\n`;
