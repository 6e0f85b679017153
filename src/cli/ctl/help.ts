/** The help of tuntoxctl, made from the descriptions of the commands, at most 80 columns wide. Pure. */
import { entry, lines, optionEntry, paragraph } from '../../base/help-layout.js';
import { type Description, GLOBAL_OPTIONS, optionsOf } from './arguments.js';

/** @param path nothing for all commands, a noun, or noun and verb */
export function helpText(path: readonly string[], commands: readonly Description[]): string {
  const chosen = commands.filter((command) => path.every((word, index) => command.path[index] === word));
  const [only] = chosen;
  if (path.length > 0 && chosen.length === 1 && only !== undefined) return helpOfCommand(only);
  return path.length === 0 ? helpOfAll(commands) : helpOfNoun(path[0] as string, chosen);
}

const USAGE = `tuntoxctl - manage the daemon tuntoxd

Usage: tuntoxctl [options] COMMAND [arguments]
`;

/** Commands that few people type; the short help names them in one line. */
const RARE = ['net', 'metrics', 'version', 'completion'];

/** The answer to `tuntoxctl -h`: at most 30 lines. */
export function briefHelp(commands: readonly Description[]): string {
  const verbs = new Map<string, string[]>();
  for (const { path, about } of commands) {
    const [noun = '', verb = about] = path;
    verbs.set(noun, [...(verbs.get(noun) ?? []), verb]);
  }
  return lines(
    USAGE,
    'Examples:',
    '  tuntoxctl status                                what works, and what does not',
    '  tuntoxctl id                                    the Tox ID for clients',
    '  tuntoxctl invite create --name laptop           a link that admits a client',
    '  tuntoxctl whitelist add TOX_ID --name laptop    admit a client',
    '',
    'Commands:',
    ...[...verbs].flatMap(([noun, texts]) => (RARE.includes(noun) ? [] : [entry(noun, texts.join(', '), 14)])),
    `and ${RARE.join(', ')}`,
    '',
    'tuntoxctl COMMAND --help explains a command, tuntoxctl --help everything.',
  );
}

function helpOfAll(commands: readonly Description[]): string {
  return lines(
    USAGE,
    'Commands:',
    ...commands.map((command) => entry(nameOf(command), command.about)),
    '',
    'Options of all commands:',
    ...GLOBAL_OPTIONS.map(optionEntry),
    '',
    paragraph(
      'CLIENT is a name, a public key or at least its first 6 digits, a Tox ID, or its address of 127.64.0.0/10; for clients approve also the six words of a key.',
    ),
    '',
    paragraph(
      'Exit status: 0 success, 1 failure, 2 usage error, 3 daemon not running, 4 permission denied, 5 not found or ambiguous, 6 degraded, 7 timeout, 130 interrupted by Ctrl-C.',
    ),
    '',
    'tuntoxctl COMMAND --help shows examples. See also: man tuntoxctl',
  );
}

function helpOfNoun(noun: string, commands: readonly Description[]): string {
  const main = commands.find(({ isDefault }) => isDefault);
  return lines(
    `Usage: tuntoxctl ${noun} ${commands.map(({ path }) => path[1]).join('|')}`,
    '',
    ...commands.map((command) => entry(nameOf(command), command.about)),
    ...(main === undefined ? [] : ['', `Without a verb, ${noun} means ${main.path.join(' ')}.`]),
    '',
    `tuntoxctl ${noun} VERB --help explains a command, with examples.`,
  );
}

function helpOfCommand(command: Description): string {
  const { path, about, more, examples } = command;
  const options = optionsOf(command);
  const name = path.join(' ');
  const sentence = `${about.charAt(0).toUpperCase()}${about.slice(1)}.${more === undefined ? '' : ` ${more}`}`;
  return lines(
    `Usage: tuntoxctl ${[nameOf(command), ...(options.length > 0 ? ['[options]'] : [])].join(' ')}`,
    '',
    paragraph(sentence),
    '',
    ...(options.length === 0 ? [] : ['Options:', ...options.map(optionEntry), '']),
    'Examples:',
    ...examples.map((example) => `  tuntoxctl ${`${name} ${example}`.trim()}`),
    '',
    paragraph(
      `Options of all commands: ${GLOBAL_OPTIONS.map(({ name: one }) => one).join(', ')}; see tuntoxctl --help.`,
    ),
  );
}

const nameOf = ({ path, arguments: words = [] }: Description): string =>
  [...path, ...words.map(({ name, isOptional }) => (isOptional === true ? `[${name}]` : name))].join(' ');
