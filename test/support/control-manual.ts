/** man/tuntoxctl.1, made from the descriptions of the commands, as the help is. */
import { wrapped } from '../../src/cli/columns.js';
import { GLOBAL_OPTIONS, optionsOf } from '../../src/cli/ctl/arguments.js';
import type { Description, Option } from '../../src/cli/ctl/description.js';

const HEAD = `.\\" Made by \`make manual\` from src/cli/ctl/commands.
.Dd November 26, 2026
.Dt TUNTOXCTL 1
.Os tuntox
.Sh NAME
.Nm tuntoxctl
.Nd manage the daemon tuntoxd
.Sh SYNOPSIS
.Nm
.Op Ar options
.Ar command
.Op Ar arguments
.Sh DESCRIPTION
.Nm
manages
.Xr tuntoxd 8
over its control socket.
The socket may be used by root, by the daemon's user, and by the members of the
group
.Sy tuntox .
.Pp
A
.Ar CLIENT
is a name, a public key or at least its first 6 digits, or a Tox ID.
Tables show names and the first 8 digits of a key;
.Fl -json
prints whole keys.
A command that needs a confirmation asks for it on a terminal.
Elsewhere it fails, unless
.Fl -yes
is given.
`;

const FOOT = `.Sh ENVIRONMENT
.Bl -tag -width indent
.It Ev TUNTOX_SOCKET
The control socket of the daemon, if
.Fl -socket
is not given.
.It Ev NO_COLOR
If it is not empty, the output has no colours.
.El
.Sh FILES
.Bl -tag -width indent
.It Pa /run/tuntox/tuntoxd.sock
The control socket.
If
.Va socket.path
is elsewhere, a daemon under systemd or supervisord makes a link here.
A daemon that was started by hand makes none: use
.Fl -socket .
.El
.Sh EXIT STATUS
.Bl -tag -width indent -compact
.It 0
success
.It 1
failure
.It 2
usage error
.It 3
the daemon is not running
.It 4
permission denied
.It 5
not found, or ambiguous
.It 6
the daemon is running, but degraded
.It 7
timeout
.It 130
interrupted by Ctrl-C
.El
.Sh SEE ALSO
.Xr tuntox 1 ,
.Xr tuntox.yaml 5 ,
.Xr tuntoxd 8
`;

export function controlManual(commands: readonly Description[]): string {
  return [
    HEAD,
    '.Pp\nThese options work with all commands:\n',
    ...list(GLOBAL_OPTIONS),
    '.Sh COMMANDS\n',
    ...commands.map(ofCommand),
    FOOT,
  ].join('');
}

function ofCommand(command: Description): string {
  const { path, about, more, examples, isDefault } = command;
  const words = (command.arguments ?? []).map(({ name, isOptional }) =>
    isOptional === true ? ` Op Ar ${name}` : ` Ar ${name}`,
  );
  const options = optionsOf(command);
  return [
    `.Ss ${path.join(' ')}\n`,
    `.Ic ${path.join(' ')}${words.join('')}\n.Pp\n`,
    prose(`${about.charAt(0).toUpperCase()}${about.slice(1)}.`),
    more === undefined ? '' : prose(more),
    isDefault === true && path.length > 1 ? prose(`This is also what ${path[0]} alone means.`) : '',
    ...(options.length === 0 ? [] : list(options)),
    '.Bd -literal -offset indent\n',
    ...examples.map((example) => `${escaped(`tuntoxctl ${[...path, example].join(' ').trim()}`)}\n`),
    '.Ed\n',
  ].join('');
}

const list = (options: readonly Option[]): string[] => ['.Bl -tag -width indent\n', ...options.map(item), '.El\n'];

function item({ name, short, value, isValueOptional, about }: Option): string {
  const shown = value === undefined ? '' : isValueOptional === true ? ` Ns Op = Ns Ar ${value}` : ` Ar ${value}`;
  const first = short === undefined ? '' : `Fl ${short} , `;
  return `.It ${first}Fl ${name.slice(1)}${shown}\n${prose(`${about.charAt(0).toUpperCase()}${about.slice(1)}.`)}`;
}

/** A sentence a line, as pages are written, and none longer than 80 characters. */
const prose = (text: string): string =>
  `${escaped(text.replace(/\.\.$/, '.'))
    .replace(/(?<=[a-z)\]]{2}[.:;]) (?=[A-Za-z"])/g, '\n')
    .split('\n')
    .flatMap((line) => wrapped(line, 80))
    .join('\n')}\n`;

/** Roff reads backslashes, and dots and apostrophes at the beginning of a line. */
const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('…', '...')
    .replaceAll(/^([.'])/gm, '\\&$1');
