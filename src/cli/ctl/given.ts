/** The arguments and options that a command was given, checked against its description. */
import { parseArgs } from 'node:util';
import { nearest } from '../../base/nearest.js';
import { usage } from './ctl-error.js';
import type { Description, Option } from './description.js';

export const DRY_RUN: Option = { name: '--dry-run', about: 'say what would happen, and change nothing' };
export const GLOBAL_OPTIONS: readonly Option[] = [
  {
    name: '--socket',
    value: 'PATH',
    about: 'control socket of the daemon (TUNTOX_SOCKET; /run/tuntox/tuntoxd.sock)',
    completes: 'file',
  },
  { name: '--json', about: 'print for programs: JSON, as described in docs/schema (in /usr/share/doc/tuntox)' },
  { name: '--no-color', about: 'no colours, also when the output is a terminal (NO_COLOR)' },
  { name: '--help', short: 'h', about: 'how to call a command, with examples' },
  { name: '--version', short: 'V', about: 'print the version of tuntoxctl' },
];

export const optionsOf = (command: Description): readonly Option[] => [
  ...(command.options ?? []),
  ...(command.isWrite === true ? [DRY_RUN] : []),
];

export class Given {
  readonly arguments: readonly string[];
  readonly #options: ReadonlyMap<string, readonly (string | undefined)[]>;

  constructor(words: readonly string[], options: ReadonlyMap<string, readonly (string | undefined)[]>) {
    this.arguments = words;
    this.#options = options;
  }

  /** An argument that the description demands. */
  argument(index: number): string {
    return this.arguments[index] as string;
  }

  has(name: Option['name']): boolean {
    return this.#options.has(name);
  }

  /** The last one counts. */
  value(name: Option['name']): string | undefined {
    return this.#options.get(name)?.at(-1);
  }

  values(name: Option['name']): readonly string[] {
    return (this.#options.get(name) ?? []).map((value) => value ?? '');
  }

  get isDryRun(): boolean {
    return this.has(DRY_RUN.name);
  }
}

export type Line<Command> =
  /** `tuntoxctl -h`, `tuntoxctl whitelist -h`: the words that were there. */
  | { readonly kind: 'help'; readonly path: readonly string[] }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: Command; readonly given: Given };

interface Token {
  readonly name: string;
  readonly raw: string;
  readonly value: string | undefined;
  /** Written as in --name=value. */
  readonly isInline: boolean;
}

/** @throws CtlError `usage` */
export function readLine<Command extends Description>(
  words: readonly string[],
  commands: readonly Command[],
): Line<Command> {
  const { tokens } = parseArgs({
    args: [...words],
    options: parserOptions(commands),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals: string[] = [];
  const options: Token[] = [];
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value);
    else if (token.kind === 'option')
      options.push({
        name: `--${token.name}`,
        raw: token.rawName,
        value: token.value,
        isInline: token.inlineValue === true,
      });
  }
  if (options.some(({ name }) => name === '--help')) return { kind: 'help', path: knownPath(positionals, commands) };
  if (options.some(({ name }) => name === '--version')) return { kind: 'version' };
  if (positionals.length === 0 && options.length === 0) return { kind: 'help', path: [] };
  const command = findCommand(positionals, commands);
  const isNamed = command.path.every((word, index) => positionals[index] === word);
  const rest = positionals.slice(isNamed ? command.path.length : command.path.length - 1);
  // First, because what belongs to an unknown option looks like an argument.
  const checked = checkedOptions(command, options);
  checkArguments(command, rest);
  return { kind: 'command', command, given: new Given(rest, checked) };
}

/** All options of all commands: one name means one kind of option everywhere, as a test checks. */
function parserOptions(
  commands: readonly Description[],
): Record<string, { type: 'string' | 'boolean'; short?: string }> {
  const all = [...GLOBAL_OPTIONS, DRY_RUN, ...commands.flatMap(({ options = [] }) => options)];
  return Object.fromEntries(
    all.map(({ name, short, value, isValueOptional }) => [
      name.slice(2),
      {
        type: value === undefined || isValueOptional === true ? 'boolean' : 'string',
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
}

/** As many of the words as lead to a command. */
function knownPath(words: readonly string[], commands: readonly Description[]): readonly string[] {
  const [noun, verb] = words;
  if (noun === undefined) return [];
  const ofNoun = commands.filter(({ path }) => path[0] === noun);
  if (ofNoun.length === 0) throw unknown('command', noun, new Set(commands.map(({ path }) => path[0] as string)));
  return ofNoun.some(({ path }) => path[1] !== undefined && path[1] === verb) ? [noun, verb as string] : [noun];
}

function findCommand<Command extends Description>(words: readonly string[], commands: readonly Command[]): Command {
  const [noun, verb] = words;
  if (noun === undefined) throw usage('which command?', 'tuntoxctl -h lists them');
  const ofNoun = commands.filter(({ path }) => path[0] === noun);
  if (ofNoun.length === 0) {
    throw unknown('command', noun, new Set(commands.map(({ path }) => path[0] as string)));
  }
  const [only] = ofNoun;
  if (only !== undefined && only.path.length === 1) return only;
  const verbs = ofNoun.map(({ path }) => path[1] as string);
  const found =
    ofNoun.find(({ path }) => path[1] === verb) ??
    (verb === undefined ? ofNoun.find(({ isDefault }) => isDefault) : undefined);
  if (found !== undefined) return found;
  if (verb === undefined) throw usage(`${noun} what? one of: ${verbs.join(', ')}`, `tuntoxctl ${noun} -h tells more`);
  throw unknown(`command "${noun}" with`, verb, verbs, `one of: ${verbs.join(', ')}`);
}

function unknown(what: string, word: string, names: Iterable<string>, otherwise = 'tuntoxctl -h lists them') {
  const near = nearest(word, names);
  return usage(`there is no ${what} "${word}"`, near === undefined ? otherwise : `did you mean "${near}"?`);
}

function checkArguments(command: Description, words: readonly string[]): void {
  const known = command.arguments ?? [];
  const name = command.path.join(' ');
  const missing = known[words.length];
  if (missing !== undefined && missing.isOptional !== true) {
    throw usage(`${name} needs ${missing.name}`, `as in: ${exampleOf(command)}`);
  }
  const extra = words[known.length];
  if (extra !== undefined)
    throw usage(`${name} knows nothing to do with "${extra}"`, `tuntoxctl ${name} -h tells more`);
}

export const exampleOf = ({ path, examples }: Description): string =>
  `tuntoxctl ${[...path, examples[0]].join(' ').trim()}`;

function checkedOptions(command: Description, tokens: readonly Token[]): Map<string, (string | undefined)[]> {
  const known = [...optionsOf(command), ...GLOBAL_OPTIONS];
  const given = new Map<string, (string | undefined)[]>();
  for (const { name, raw, value, isInline } of tokens) {
    const option = known.find((one) => one.name === name);
    if (option === undefined) throw unknownOption(command, raw, known);
    if (option.value === undefined && value !== undefined) {
      throw usage(`${raw} takes no value`, `leave "=${value}" out`);
    }
    const isMissing = value === undefined || (!isInline && /^-./.test(value));
    if (option.value !== undefined && option.isValueOptional !== true && isMissing) {
      const dash = value === undefined ? undefined : `a value that begins with "-" is written ${raw}=${value}`;
      throw usage(`${raw} needs a value: ${raw} ${option.value}`, dash);
    }
    const before = given.get(name);
    if (before !== undefined && option.isRepeatable !== true && option.value !== undefined) {
      throw usage(`${raw} is given twice`, 'leave one of them out');
    }
    given.set(name, [...(before ?? []), value]);
  }
  return given;
}

function unknownOption(command: Description, raw: string, known: readonly Option[]) {
  const name = command.path.join(' ');
  if (raw === DRY_RUN.name) return usage(`${name} changes nothing, so it has no ${raw}`, 'leave it out');
  const near = nearest(
    raw,
    known.map((option) => option.name),
  );
  return usage(
    `${name} has no option ${raw}`,
    near === undefined ? `tuntoxctl ${name} -h lists them` : `did you mean ${near}?`,
  );
}
