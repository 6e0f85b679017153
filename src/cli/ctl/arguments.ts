/** Describes the commands of tuntoxctl, and reads a command line against the description. Help, manual and completion use it too. */
import { type OptionSyntax, readWords, type Word } from '../../base/command-line.js';
import { didYouMean, similarNames } from '../../base/nearest.js';
import { type CtlError, usage } from './ctl-error.js';

/** What Tab offers for a value: names from the running daemon, stored hosts, files, or these words. */
export type Completes =
  | 'client'
  | 'entry'
  | 'pending'
  | 'invitation'
  | 'connection'
  | 'forward'
  | 'host'
  | 'file'
  | readonly string[];

export interface Option extends OptionSyntax {
  readonly isRepeatable?: boolean;
  readonly about: string;
  readonly completes?: Completes;
}

export interface Argument {
  /** The placeholder in help. */
  readonly name: string;
  readonly isOptional?: boolean;
  /** Whether the last argument may be several words. */
  readonly isRepeatable?: boolean;
  readonly completes?: Completes;
}

export interface Description {
  /** Noun and verb. */
  readonly path: readonly string[];
  /** One line that begins with a verb. */
  readonly about: string;
  /** Further sentences for the help of this command. */
  readonly more?: string;
  readonly arguments?: readonly Argument[];
  readonly options?: readonly Option[];
  /** Arguments as a person types them after the path. */
  readonly examples: readonly string[];
  /** Whether the command changes something, and so takes --dry-run. */
  readonly isWrite?: boolean;
  /** Whether the noun alone runs this command. */
  readonly isDefault?: boolean;
}

export const DRY_RUN: Option = { name: '--dry-run', about: 'show what would happen, but change nothing' };
export const GLOBAL_OPTIONS: readonly Option[] = [
  {
    name: '--socket',
    value: 'PATH',
    about: 'control socket of the daemon (default $TUNTOX_SOCKET, or else that of your own daemon or of this machine)',
    completes: 'file',
  },
  { name: '--user', about: 'talk to your own daemon' },
  { name: '--system', about: 'talk to the daemon of this machine, also if you have one of your own' },
  { name: '--json', about: 'print JSON; its schemas are in /usr/share/doc/tuntox/docs/schema' },
  { name: '--no-color', about: 'print no colours, even on a terminal (as do NO_COLOR and TERM=dumb)' },
  { name: '--help', short: 'h', about: 'show help; -h alone is a summary' },
  { name: '--version', short: 'V', about: 'print the version of tuntoxctl' },
];

export const optionsOf = (command: Description): readonly Option[] => [
  ...(command.options ?? []),
  ...(command.isWrite === true ? [DRY_RUN] : []),
];

type Values = ReadonlyMap<string, readonly (string | undefined)[]>;

export class ParsedArguments {
  readonly arguments: readonly string[];
  readonly #options: Values;

  constructor(words: readonly string[], options: Values) {
    this.arguments = words;
    this.#options = options;
  }

  /** Returns an argument that the description requires. */
  argument(index: number): string {
    return this.arguments[index] as string;
  }

  has(name: Option['name']): boolean {
    return this.#options.has(name);
  }

  /** Returns the last value. */
  value(name: Option['name']): string | undefined {
    return this.#options.get(name)?.at(-1);
  }

  values(name: Option['name']): readonly string[] {
    return (this.#options.get(name) ?? []).map((value) => value ?? '');
  }

  get dryRun(): boolean {
    return this.has(DRY_RUN.name);
  }
}

export type CommandLine<Command> =
  | {
      readonly kind: 'help';
      /** The command to explain; nothing for all of them. */
      readonly path: readonly string[];
      /** Whether a summary is wanted: `-h`, or no word at all. */
      readonly isBrief: boolean;
    }
  | { readonly kind: 'version' }
  | { readonly kind: 'command'; readonly command: Command; readonly given: ParsedArguments };

type OptionWord = Extract<Word<Option>, { readonly kind: 'option' }>;

/** @throws CtlError `usage` */
export function readCommandLine<Command extends Description>(
  words: readonly string[],
  commands: readonly Command[],
): CommandLine<Command> {
  // One name means one kind of option in all commands, as a test checks: options may stand before the command.
  const all = [...GLOBAL_OPTIONS, DRY_RUN, ...commands.flatMap(({ options = [] }) => options)];
  const found = readWords(words, all);
  const positionals = found.flatMap((word) => (word.kind === 'argument' ? [word.value] : []));
  const options = found.filter((word) => word.kind === 'option');
  const help = options.find(({ option }) => option?.name === '--help');
  if (help !== undefined || positionals[0] === 'help') {
    const path = knownPath(positionals[0] === 'help' ? positionals.slice(1) : positionals, commands);
    return { kind: 'help', path, isBrief: help?.written === '-h' };
  }
  if (options.some(({ option }) => option?.name === '--version')) return { kind: 'version' };
  if (found.length === 0) return { kind: 'help', path: [], isBrief: true };
  const [first] = found;
  // What follows an unknown option may be its value, or the command.
  const isUnclear = first?.kind === 'option' && first.option === undefined;
  if (isUnclear || positionals.length === 0) {
    checkedOptions(options, all, (written) => unknownOption(written, all));
    throw usage('no command is given', LIST_COMMANDS);
  }
  const command = findCommand(positionals, commands);
  const isNamed = command.path.every((word, index) => positionals[index] === word);
  const rest = positionals.slice(isNamed ? command.path.length : command.path.length - 1);
  // Options first: the value of an unknown option looks like an argument.
  const known = [...optionsOf(command), ...GLOBAL_OPTIONS];
  const values = checkedOptions(options, known, (written) => unknownOption(written, known, command));
  checkArguments(command, rest);
  return { kind: 'command', command, given: new ParsedArguments(rest, values) };
}

/** Returns as many of the words as name a command. */
function knownPath(words: readonly string[], commands: readonly Description[]): readonly string[] {
  const [noun, verb] = words;
  if (noun === undefined) return [];
  const ofNoun = commands.filter(({ path }) => path[0] === noun);
  if (ofNoun.length === 0) throw unknownCommand(noun, commands);
  return ofNoun.some(({ path }) => path[1] !== undefined && path[1] === verb) ? [noun, verb as string] : [noun];
}

const LIST_COMMANDS = 'to list the commands: tuntoxctl --help';

function findCommand<Command extends Description>(words: readonly string[], commands: readonly Command[]): Command {
  const [noun = '', verb] = words;
  const ofNoun = commands.filter(({ path }) => path[0] === noun);
  const [only] = ofNoun;
  if (only === undefined) throw unknownCommand(noun, commands);
  if (only.path.length === 1) return only;
  const found =
    ofNoun.find(({ path }) => path[1] === verb) ??
    (verb === undefined ? ofNoun.find(({ isDefault }) => isDefault) : undefined);
  if (found !== undefined) return found;
  const verbs = ofNoun.map(({ path }) => path[1] as string);
  if (verb === undefined) {
    throw usage(`${noun} needs a verb: ${verbs.join(', ')}`, `for details: tuntoxctl ${noun} --help`);
  }
  const meant = SYNONYMS[verb] ?? verb;
  const suggested = verbs.includes(meant) ? [meant] : similarNames(verb, verbs);
  throw usage(
    `there is no command "${noun} ${verb}"`,
    didYouMean(suggested.map((one) => `${noun} ${one}`)) ?? `verbs of ${noun}: ${verbs.join(', ')}`,
  );
}

/** Words of other programs, and what they are called here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  del: 'remove',
  delete: 'remove',
  logs: 'log tail',
  ls: 'list',
  identity: 'id',
  load: 'reload',
  rm: 'remove',
  stat: 'status',
  unban: 'bans clear',
};

function unknownCommand(word: string, commands: readonly Description[]): CtlError {
  const meant = SYNONYMS[word] ?? word;
  const names = commands.map(({ path }) => path.join(' '));
  const exact = names.includes(meant) ? [meant] : names.filter((name) => name.endsWith(` ${meant}`));
  const suggested =
    exact.length > 0 ? exact : similarNames(word, [...new Set(commands.map(({ path }) => path[0] ?? ''))]);
  return usage(`there is no command "${word}"`, didYouMean(suggested) ?? LIST_COMMANDS);
}

function checkArguments(command: Description, words: readonly string[]): void {
  const known = command.arguments ?? [];
  const name = command.path.join(' ');
  const missing = known[words.length];
  if (missing !== undefined && missing.isOptional !== true) {
    throw usage(`${name} needs an argument: ${missing.name}`, `example: ${exampleOf(command)}`);
  }
  const extra = known.at(-1)?.isRepeatable === true ? undefined : words[known.length];
  if (extra !== undefined) throw usage(`unexpected argument "${extra}"`, `for details: tuntoxctl ${name} --help`);
}

const exampleOf = ({ path, examples }: Description): string => `tuntoxctl ${[...path, examples[0]].join(' ').trim()}`;

function checkedOptions(
  words: readonly OptionWord[],
  known: readonly Option[],
  unknown: (written: string) => CtlError,
): Values {
  const given = new Map<string, (string | undefined)[]>();
  for (const { option: meant, written, value, isInline } of words) {
    const option = known.find(({ name }) => name === meant?.name);
    if (option === undefined) throw unknown(written);
    if (option.value === undefined && value !== undefined) {
      throw usage(`${written} takes no value`, `remove "=${value}"`);
    }
    const isMissing = value === undefined || (!isInline && /^-./.test(value));
    if (option.value !== undefined && option.isValueOptional !== true && isMissing) {
      const dash = value === undefined ? undefined : `a value that begins with "-" is written ${written}=${value}`;
      throw usage(`${written} needs a value: ${written} ${option.value}`, dash);
    }
    const before = given.get(option.name);
    if (before !== undefined && option.isRepeatable !== true && option.value !== undefined) {
      throw usage(`${written} is given twice`, 'remove one of them');
    }
    given.set(option.name, [...(before ?? []), value]);
  }
  return given;
}

/** @param command undefined if none is given */
function unknownOption(written: string, known: readonly Option[], command?: Description): CtlError {
  const names = [...new Set(known.map(({ name }) => name))];
  const meant = didYouMean(similarNames(written, names));
  if (command === undefined) return usage(`there is no option ${written}`, meant ?? LIST_COMMANDS);
  const name = command.path.join(' ');
  if (written === DRY_RUN.name) return usage(`${name} changes nothing, so it has no ${written}`, `remove ${written}`);
  return usage(`${name} has no option ${written}`, meant ?? `to list them: tuntoxctl ${name} --help`);
}
