/** man/tuntoxctl.1, made from the descriptions of the commands, as the help is. */
import { ownVersion } from '../../src/base/own-files.js';
import type { Description } from '../../src/cli/ctl/arguments.js';
import { GLOBAL_OPTIONS, optionsOf } from '../../src/cli/ctl/arguments.js';
import { escaped, optionList, prose, sentence } from './mdoc.js';

const HEAD = `.\\" Made by \`make manual\` from src/cli/ctl/commands.
.Dd November 28, 2026
.Dt TUNTOXCTL 1
.Os tuntox ${ownVersion()}
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
If the user runs a
.Xr tuntoxd 8
of their own, the commands are for that one.
If there is also a daemon of this machine that the user may manage, a line on
standard error says so;
.Fl -system
talks to that one.
.Pp
A
.Ar CLIENT
is a name, a public key or at least its first 6 digits, a Tox ID, or its address of
127.64.0.0/10; for
.Cm clients approve
also the six words of a key.
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
.It Pa $XDG_RUNTIME_DIR/tuntox/tuntoxd.sock
The control socket of the user's own daemon.
.It Pa /run/tuntox/tuntoxd.sock
The control socket of the daemon of this machine.
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
    optionList(GLOBAL_OPTIONS),
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
    prose(sentence(about)),
    more === undefined ? '' : prose(more),
    isDefault === true && path.length > 1 ? prose(`This is also what ${path[0]} alone means.`) : '',
    options.length === 0 ? '' : optionList(options),
    '.Bd -literal -offset indent\n',
    ...examples.map((example) => `${escaped(`tuntoxctl ${[...path, example].join(' ').trim()}`)}\n`),
    '.Ed\n',
  ].join('');
}
