/** man/tuntox.1, made from the table of options, as the help is. */
import { ownVersion } from '../../src/base/own-files.js';
import { optionsIn } from '../../src/cli/tuntox/help.js';
import type { Section } from '../../src/cli/tuntox/option-table.js';
import { optionList } from './mdoc.js';

const HEAD = `.\\" Made by \`make manual\` from src/cli/tuntox/options.ts.
.Dd November 28, 2026
.Dt TUNTOX 1
.Os tuntox ${ownVersion()}
.Sh NAME
.Nm tuntox
.Nd reach a TCP service behind NATs over the Tox network
.Sh SYNOPSIS
.Nm
.Cm share
.Op Fl -for Ar time
.Op Fl -uses Ar n
.Op Fl -qr
.Ar port | name | host : Ns Ar port
.Nm
.Cm join
.Ar link | tox_id | Cm -
.Op Ar name
.Nm
.Ar name
.Op Fl L Ar forward ... | Fl D Ar port | Fl R Ar forward ... | Fl W Ar host : Ns Ar port | Fl p
.Nm
.Cm ping | speed | forget
.Ar name
.Nm
.Cm ssh
.Oo Ar user Ns Li @ Oc Ns Ar name
.Op Ar command
.Nm
.Cm list | id | ssh-config
.Nm
.Cm agent
.Op Cm start | status | stop | run
.Nm
.Cm help
.Op Ar command
.Nm
.Fl -secret-file Ar file
.Op Fl C Ar dir
.Op Fl i Ar client_id ...
.Op Fl f Ar rules
.Nm
.Fl i Ar id
.Fl L Oo Ar bind : Oc Ns Ar port : Ns Ar host : Ns Ar port ...
.Nm
.Fl i Ar id
.Fl D Oo Ar bind : Oc Ns Ar port ...
.Nm
.Fl i Ar id
.Fl R Oo Ar bind : Oc Ns Ar port Ns Oo : Ns Ar host : Ns Ar port Oc ...
.Nm
.Fl i Ar id
.Fl W Ar host : Ns Ar port
.Nm
.Fl i Ar id
.Fl p
.Nm
.Fl -node
.Fl C Ar dir
.Op Fl u Ar first : Ns Ar last
.Sh DESCRIPTION
.Nm
carries TCP connections between two machines over the Tox network.
Neither machine needs a public address, an account or an open port.
.Pp
.Cm share
makes one service reachable: it prints a link, which contains a new secret, and runs until Ctrl-C.
.Cm join
opens a local port on another machine that leads to the service of a link.
The port is that of the service; below 1024 it is 10000 more, and if it is in use another one.
The link contains the secret:
.Cm join
removes it from the process list as soon as it has started, and reads it from standard input if it is
.Sq - .
With a
.Ar name ,
.Cm join
connects once, and then stores the server as a host under this name, with its key and the secret.
A
.Ar tox_id
in place of the link is for a server that admits this client by its key.
From then on the name is the first word of a command.
If a name is joined again and the key is another one, nothing is changed and a warning says so;
.Cm forget
removes the host and its key.
All commands with a name use one identity of the user, whose Tox ID
.Cm id
prints without a connection.
They share one process, the
.Cm agent ,
which the first of them starts and which holds the connections.
.Pp
.Cm ssh
runs
.Xr ssh 1
to a host.
All words are passed on unchanged, and the exit status is that of ssh.
Only long options are those of
.Nm ;
they stand before the name.
.Cm ssh-config
prints lines for
.Pa ~/.ssh/config
with which plain
.Ql ssh nas.tox ,
scp, sftp, rsync and git reach it.
The key of the sshd is kept as
.Ar name Ns .tox .
.Pp
Without a command and without
.Fl L , D , R , W
or
.Fl p ,
.Nm
is a server on the machine to be reached.
It prints its Tox ID: an address of 76 hex digits, which does not change when the
machine moves to another network.
.Pp
The forms with
.Ar id
are clients of the server with that ID.
They forward local ports, open a port as a proxy, publish ports at the server, connect
standard input and output, or measure the round-trip time.
The last form is a bootstrap node for a private Tox network; it prints
.Ar PORT : Ns Ar KEY .
.Pp
For a server that always runs, see
.Xr tuntoxd 8 .
`;

const FOOT = `.Pp
IPv6 addresses are written in brackets:
.Ql -L 2222:[::1]:22 .
In
.Fl L , W
and
.Fl u ,
.Ql @
may stand for the colon.
.Sh ENVIRONMENT
.Bl -tag -width indent
.It Ev TUNTOX_SHARED_SECRET
The shared secret.
.It Ev ALL_PROXY , all_proxy
The proxy, if
.Fl -proxy
is not given.
Other users cannot see its password there.
.It Ev NO_COLOR
If it is not empty, the log has no colours.
.It Ev XDG_CONFIG_HOME , XDG_STATE_HOME , XDG_CACHE_HOME , XDG_RUNTIME_DIR
Where the files of a user are, see
.Sx FILES .
.It Ev TUNTOX_NATIVE
.Cm off
turns the native addon off.
The addon makes UDP faster on Linux.
.El
.Sh FILES
.Bl -tag -width indent
.It Pa ~/.config/tuntox/hosts.json
The stored hosts, with their secrets; or in
.Ev XDG_CONFIG_HOME .
.It Pa ~/.tuntox/hosts
Hosts of upstream's tokssh, a line for each:
.Ar name tox_id Op Ar secret .
It is only read.
.It Pa ~/.local/state/tuntox/tox_save
The identity with which stored hosts are reached; or in
.Ev XDG_STATE_HOME .
.It Pa ~/.local/state/tuntox/agent.log
The log of the agent, beside the identity.
Its socket is
.Pa tuntox/agent.sock
in
.Ev XDG_RUNTIME_DIR ,
or beside the identity without one.
.It Pa ~/.cache/tuntox
Compiled code, which makes the next start faster; or in
.Ev XDG_CACHE_HOME .
It can be deleted at any time.
.It Pa /etc/tuntox/nodes.json
The bootstrap nodes, if neither
.Fl b
nor
.Fl -bootstrap
is given.
Without this file, the list in
.Nm
is used.
.El
.Sh EXIT STATUS
.Bl -tag -width indent -compact
.It 0
success; also a server that was stopped by Ctrl-C
.It 1
failure
.It 2
usage error
.It 3
the server was not found, or the connection to it was lost
.It 4
the server does not allow the target
.It 5
the server cannot reach the target
.It 6
no Tox network
.It 7
the server was found, but there was no connection or answer in time
.It 8
the server does not admit this client
.It 9
the proxy is unusable
.It 130
a client that was stopped by Ctrl-C
.It 129 , 143
a client that was stopped by SIGHUP or SIGTERM
.It 141
the reader of standard output has closed it
.El
.Sh SIGNALS
.Dv SIGTERM ,
.Dv SIGINT
and
.Dv SIGHUP
stop
.Nm ;
a second signal stops it at once.
If no standard stream is a terminal, as after
.Xr nohup 1 ,
servers and
.Fl L
ignore
.Dv SIGHUP .
.Pp
A shell script starts background commands
.Pq Sq &
with
.Dv SIGINT
ignored, but
.Nm
stops on it anyway.
To protect it from Ctrl-C, use
.Fl z
or
.Xr setsid 1 .
.Sh EXAMPLES
Share the ssh server of this machine with one other machine for an hour:
.Pp
.Dl tuntox share 22 --uses 1 --for 1h
.Pp
Log in to a machine whose link is stored as nas:
.Bd -literal -offset indent
tuntox join LINK nas
tuntox ssh nas
.Ed
.Pp
A server that keeps its Tox ID, on the machine to be reached:
.Pp
.Dl tuntox --secret-file secret -C ~/.tuntox
.Pp
On the other machine, with the Tox ID that the server printed:
.Bd -literal -offset indent
tuntox -i TOX_ID --secret-file secret -L 2222:127.0.0.1:22
ssh -p 2222 localhost
.Ed
.Pp
Or without a local port:
.Bd -literal -offset indent
export TUNTOX_SHARED_SECRET=...
ssh -o ProxyCommand='tuntox -i TOX_ID -W %h:%p' localhost
.Ed
.Sh SEE ALSO
.Xr ssh 1 ,
.Xr tuntoxctl 1 ,
.Xr tuntoxd 8
`;

export function tuntoxManual(): string {
  return [
    HEAD,
    section('share', 'share'),
    section('a server', 'server'),
    section('a client', 'client'),
    section('both', 'common'),
    FOOT,
  ].join('');
}

const section = (of: string, name: Section): string => `.Ss Options of ${of}\n${optionList(optionsIn(name))}`;
