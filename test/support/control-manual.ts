/** man/tuntoxctl.1, made from the descriptions of the commands as its help is. */
import { wrapped } from '../../src/cli/columns.js';
import type { Description, Option } from '../../src/cli/ctl/description.js';
import { GLOBAL_OPTIONS, optionsOf } from '../../src/cli/ctl/given.js';

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
speaks with
.Xr tuntoxd 8
over its control socket, which its user, root, and the members of the group
.Sy tuntox
may use.
.Pp
A
.Ar CLIENT
is an alias, the first 6 digits of its key or more, its key, or its Tox ID.
People see aliases and the first 8 digits of a key, programs
.Pq Fl -json
all of it.
A question is asked on a terminal only; elsewhere
.Fl -yes
answers it beforehand.
`;

const FOOT = `.Sh ENVIRONMENT
.Bl -tag -width indent
.It Ev TUNTOX_SOCKET
The control socket of the daemon, unless
.Fl -socket
names it.
.It Ev NO_COLOR
No colours, whatever its value.
.El
.Sh FILES
.Bl -tag -width indent
.It Pa /run/tuntox/tuntoxd.sock
The control socket, or a link that the daemon made to it because its
.Va socket.path
is another one.
A daemon that was started by hand makes no link: name its socket.
.El
.Sh EXIT STATUS
.Bl -tag -width indent -compact
.It 0
done
.It 1
failed
.It 2
called wrongly
.It 3
the daemon is not running
.It 4
no permission
.It 5
not found, or ambiguous
.It 6
degraded
.It 7
timeout
.It 130
ended by Ctrl-C
.El
.Sh SEE ALSO
.Xr tuntox 1 ,
.Xr tuntox.yaml 5 ,
.Xr tuntoxd 8
`;

export function controlManual(commands: readonly Description[]): string {
  return [
    HEAD,
    '.Pp\nThe options of all commands are:\n',
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
    isDefault === true && path.length > 1 ? prose(`The word ${path[0]} alone means this.`) : '',
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
