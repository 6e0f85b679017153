/** The help of `tuntox`, at most 80 columns wide. Pure. */
import { entry, lines, optionEntry, paragraph } from '../../base/help-layout.js';
import { COMMANDS, type Form, HOST_COMMAND, type TuntoxCommand } from './commands.js';
import { namesOf } from './mode.js';
import { modesWith, type Section, sectionOf, takes } from './option-table.js';
import { OPTIONS, type TuntoxOption } from './options.js';

/** Columns of a command, beside which it is explained. */
const COMMAND_COLUMNS = 28;

const USAGE = [
  'tuntox - reach a TCP service behind NATs over the Tox network',
  '',
  'Commands:',
  ...[...COMMANDS, { ...HOST_COMMAND, name: 'NAME', usage: '[-L … | -D … | -R … | -W … | -p]' }].map(
    ({ name, usage, about }) => entry(`${name} ${usage}`.trimEnd(), about, COMMAND_COLUMNS),
  ),
  '',
  'Without a command: a server, which prints its Tox ID, or a client of that ID',
  '  tuntox --secret-file FILE [-C DIR] [-i CLIENT_ID]... [-f RULES]',
  '  tuntox -i ID -L [BIND:]PORT:HOST:PORT... | -D PORT | -W HOST:PORT | -p',
];

/** The answer to `tuntox -h`: at most 30 lines. */
export const BRIEF_HELP = lines(
  ...USAGE,
  '',
  'Examples:',
  '  tuntox share 22                on the server; prints a link',
  '  tuntox join tuntox://... nas   on the client, then:',
  '  tuntox ssh nas',
  '',
  'tuntox help COMMAND explains a command, tuntox --help the options without one.',
);

/** Returns the first clause of an explanation. */
export function clauseOf({ about }: TuntoxOption): string {
  const clause = about.split(/[.;:] |, and /)[0] as string;
  // Not within parentheses.
  return clause.includes(')') ? clause : (clause.split(' (')[0] as string);
}

/** Returns the options that a section explains. One of servers names the clients that take it, too. */
export const optionsIn = (name: Section): TuntoxOption[] =>
  OPTIONS.filter((option) => sectionOf(option) === name).map((option) => {
    const others = modesWith('classic', option.name).filter((mode) => mode !== 'server' && mode !== 'node');
    if (name !== 'server' || others.length === 0) return option;
    return { ...option, about: `${option.about}; also for clients with ${namesOf(others)}` };
  });

const section = (name: Section): string => optionsIn(name).map(optionEntry).join('\n');

export const HELP = lines(
  ...USAGE,
  'Or a bootstrap node, for a private Tox network, which prints PORT:KEY',
  '  tuntox --node -C DIR [-u FIRST:LAST]',
  '',
  'Options of share:',
  section('share'),
  '',
  'Options of a server:',
  section('server'),
  '',
  'Options of a client:',
  section('client'),
  '',
  'Options of both:',
  section('common'),
  '',
  paragraph(
    'tuntox join opens the port of the service on 127.0.0.1; below 1024 it adds 10000, so 22 becomes 10022. If that port is in use, it opens another one. -L chooses the port.',
  ),
  '',
  paragraph('IPv6 addresses are written in brackets: -L 2222:[::1]:22. In -L, -W and -u, @ may stand for the colon.'),
  '',
  'Environment:',
  '  TUNTOX_SHARED_SECRET    the shared secret',
  '  ALL_PROXY               the proxy, if --proxy is not given; other users cannot',
  '                          see its password there',
  '',
  paragraph(
    'Exit status: 0 success, 1 failure, 2 usage error, 3 server not found or lost, 4 target not allowed by the server, 5 target not reached by the server, 6 no Tox network, 7 no connection or answer in time although the server was found, 8 client not admitted by the server, 9 proxy unusable. After Ctrl-C a server exits with 0, a client with 130.',
  ),
  '',
  paragraph(
    'Without -b and --bootstrap, the bootstrap nodes come from /etc/tuntox/nodes.json, or else from the list in tuntox.',
  ),
);

/** @param written how help was asked for: `-h` asks for a summary */
export function helpOf(form: Form, written: string): string {
  const command = form === 'host' ? HOST_COMMAND : COMMANDS.find(({ name }) => name === form);
  if (command !== undefined) return commandHelp(command, written === '-h');
  return written === '-h' ? BRIEF_HELP : HELP;
}

function commandHelp(command: TuntoxCommand & { readonly name: Form }, isBrief: boolean): string {
  const { usage, about, more, example, meanings = {} } = command;
  const [name, named] = command === HOST_COMMAND ? ['NAME', 'nas'] : [command.name, command.name];
  const shown = OPTIONS.filter((option) => takes(command.name, option.name)).map((option) =>
    optionEntry({ ...option, about: meanings[option.name] ?? (isBrief ? clauseOf(option) : option.about) }),
  );
  return lines(
    `tuntox ${name} - ${about}`,
    '',
    'Usage:',
    `  tuntox ${name} ${usage}`.trimEnd(),
    'Example:',
    `  tuntox ${named} ${example}`.trimEnd(),
    ...more.flatMap((text) => ['', paragraph(text)]),
    ...(shown.length === 0 ? [] : ['', 'Options:', ...shown]),
  );
}
