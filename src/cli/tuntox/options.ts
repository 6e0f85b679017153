/** The options of `tuntox`. Its parser, help, manual and completion are made from this table. */
import type { OptionSyntax } from '../../base/command-line.js';

export interface TuntoxOption extends OptionSyntax {
  /** An example of the value. */
  readonly example?: string;
  readonly isRepeatable?: boolean;
  /** The text of help. Completion shows its first clause. */
  readonly about: string;
  /** Further sentences for the manual. */
  readonly more?: string;
  readonly completes?: 'file' | 'directory' | 'user' | readonly string[];
}

export const OPTIONS = [
  {
    name: '--for',
    value: 'TIME',
    example: '1h',
    about: 'end after TIME: 30m, 1h, 2d (default: run until Ctrl-C)',
  },
  {
    name: '--uses',
    value: 'N',
    example: '1',
    about: 'admit at most N clients (default: any number)',
    more: 'A client is one identity. Each tuntox join makes a new one, unless -C gives it a directory.',
  },
  {
    name: '--qr',
    about: 'print the link as a QR code, too',
  },
  {
    name: '--rules-file',
    short: 'f',
    value: 'FILE',
    example: '/etc/tuntox/rules',
    completes: 'file',
    about:
      'allow only the targets in FILE: one HOST:PORT per line, with * for any host and 0 for any port; # starts a comment',
    more: 'The line class:NAME:PORT allows the addresses of a class: public, private, loopback, link-local (with the metadata services of clouds) or multicast. "deny" in front of a class, an address or * denies it, whatever other lines allow. Both apply to the address of the connection, whatever name the client asked for. A line allows TCP; udp:HOST:PORT and udp:class:NAME:PORT allow UDP, and the path of a Unix socket allows that socket, which no other line does.',
  },
  {
    name: '--insecure-open',
    about:
      'admit every client that knows the Tox ID; without it, a server that has neither a secret nor -i refuses to start',
  },
  {
    name: '--allow-reverse',
    value: '[BIND:]PORT',
    example: '8080',
    isRepeatable: true,
    about:
      'let every client that is admitted have this port of the server opened for itself (-R); may be repeated. BIND is localhost unless given; * means all addresses, port 0 every port from 1024 on',
  },
  {
    name: '--background',
    short: 'z',
    about: 'run in the background as soon as the server works',
    more: 'As upstream has it, -D that is not followed by a port means this, too.',
  },
  {
    name: '--pid-file',
    short: 'F',
    value: 'FILE',
    example: '/run/tuntox.pid',
    completes: 'file',
    about: 'write the process ID to FILE, and refuse to start if another tuntox uses it',
    more: 'The file is locked while tuntox runs, and removed at the end.',
  },
  {
    name: '--user',
    short: 'U',
    value: 'USER',
    example: 'tuntox',
    completes: 'user',
    about: 'switch from root to USER before anything is opened',
    more: 'setpriv(1) starts a second process as USER. It must be able to read all named files, and to write to the directory of -C. The first process waits for it and passes signals on; with -z it exits. Signals may be sent to either. The file of -F contains the ID of the second process and stays owned by root. With -z it is left behind without its lock: "flock -n FILE true" fails while the process runs.',
  },
  {
    name: '--node',
    about: 'be a bootstrap node for a private Tox network, and nothing else',
    more: 'Its key is kept in node_key in the directory of -C. Its UDP port is 33445 without -u.',
  },
  {
    name: '--forward',
    short: 'L',
    value: '[BIND:]PORT:HOST:PORT',
    example: '2222:127.0.0.1:22',
    isRepeatable: true,
    about:
      'forward the local port PORT to HOST:PORT as the server sees it; may be repeated. BIND is 127.0.0.1 by default; * means all addresses of this machine',
    more: 'If BIND is a name, all of its addresses are used: localhost means 127.0.0.1 and ::1. HOST:PORT may be the name of a service, or the path of a Unix socket of the server. Port 0 takes a free port, which is printed. 8000-8010:HOST:8000-8010 forwards a range of at most 256 ports. udp: in front forwards datagrams. The path of a Unix socket, or fd for a socket of systemd (fd/NAME for that of FileDescriptorName=NAME), may stand for [BIND:]PORT. In a path a backslash precedes a colon.',
  },
  {
    name: '--dynamic',
    short: 'D',
    value: '[BIND:]PORT',
    example: '1080',
    isRepeatable: true,
    about:
      'open a local port where programs name the targets themselves, by SOCKS5, SOCKS4a or HTTP CONNECT; may be repeated',
    more: 'A path and fd may stand for [BIND:]PORT, as with -L. The server resolves the names.',
  },
  {
    name: '--socks-auth',
    value: 'FILE',
    example: 'users',
    completes: 'file',
    about:
      'let only the users in FILE use -D, and -R without a target: one USER:PASSWORD per line (default: everybody who reaches the port)',
    more: 'Without it any user and password is accepted, because some programs insist on sending one. SOCKS4 has no passwords, and is refused with it.',
  },
  {
    name: '--reverse',
    short: 'R',
    value: '[BIND:]PORT[:HOST:PORT]',
    example: '8080:127.0.0.1:80',
    isRepeatable: true,
    about:
      'forward the port PORT of the server to HOST:PORT as this machine sees it; may be repeated. The owner of the server must allow it (--allow-reverse there, or of tuntoxctl whitelist edit)',
    more: 'Port 0 lets the server choose, and is printed. Without HOST:PORT everybody who reaches the port names the targets, as with -D, and reaches what this machine reaches.',
  },
  {
    name: '--pipe',
    short: 'WP',
    value: 'HOST:PORT',
    example: '127.0.0.1:22',
    about: "connect HOST:PORT to standard input and output, as for ssh -o ProxyCommand='tuntox -i ID -W %h:%p'",
    more: 'The host may be in brackets: %h:%p and [%h]:%p both work for names, IPv4 and IPv6.',
  },
  {
    name: '--ssh-pipe',
    value: 'PORT',
    example: '22',
    about:
      "as -W, for ssh's ProxyCommand: connect the sshd of the server. For port 22 this is its service ssh, if it offers one; otherwise 127.0.0.1:PORT",
    more: 'The lines of tuntox ssh-config use it, with %p.',
  },
  {
    name: '--ping',
    short: 'p',
    about: 'measure the round-trip time to the server and exit',
  },
  {
    name: '--timeout',
    value: 'TIME',
    example: '30s',
    about:
      'give up after TIME without a connection to the server, at the start or after a loss: 30s, 500ms, 2m; a number alone is seconds, 0 means never (default: never with -L, -D and -R, otherwise 60s)',
  },
  {
    name: '--max-retries',
    value: 'N',
    example: '3',
    about:
      'before giving up, search for the server N more times, with pauses that grow from 1 s to 60 s (default 0); a connection resets the count',
  },
  {
    name: '--idle-timeout',
    value: 'TIME',
    example: '10m',
    about: 'end after TIME without use: 10m, 1h; 0 means never (default for the agent: 10m; for -L, -D and -R: never)',
    more: 'A client is in use while it has a connection. It ends with status 0; systemd starts it again when somebody connects (fd).',
  },
  {
    name: '--identity',
    short: 'i',
    value: 'ID',
    example: '5A40C344…',
    isRepeatable: true,
    about:
      'the Tox ID of the server; on a server, the only Tox ID to admit (may be repeated). With a secret as well, a client needs both',
  },
  {
    name: '--state-dir',
    short: 'C',
    value: 'DIR',
    example: '/var/lib/tuntox',
    completes: 'directory',
    about:
      'keep the identity in DIR/tox_save. By default a server uses /etc/tuntox if it can write there, a client of a stored host the identity of its user, and any other client a new one each time',
    more: 'Root does not use a directory that belongs to the daemon: to use that identity, add -U tuntox.',
  },
  {
    name: '--secret-file',
    value: 'FILE',
    example: '/etc/tuntox/secret',
    completes: 'file',
    about: 'read the shared secret from FILE; - means standard input',
    more: 'Like every file that is read, it may be the <(command) of a shell, unless with -z.',
  },
  {
    name: '--secret',
    short: 's',
    value: 'SECRET',
    example: 'SECRET',
    about: 'the shared secret. Other users can see it in the process list: prefer --secret-file',
  },
  {
    name: '--id-file',
    short: 'I',
    value: 'FILE',
    example: '/run/tuntox/id',
    completes: 'file',
    about: "write this program's own Tox ID to FILE",
  },
  {
    name: '--nodes-file',
    short: 'b',
    value: 'FILE',
    example: '/etc/tuntox/nodes.json',
    completes: 'file',
    about: 'bootstrap only from the nodes in FILE, in the format of https://nodes.tox.chat/json',
  },
  {
    name: '--bootstrap',
    value: 'HOST:PORT:KEY',
    example: '192.0.2.1:33445:F404AB…',
    isRepeatable: true,
    completes: ['none'],
    about:
      'bootstrap only from this node; may be repeated. "none" asks no node: only the local network and nodes saved by an earlier run (-C) are used',
    more: 'With -b or a node, the local network is not searched. With "none", a Tox program on the local network that is connected to the public network connects this one to it, too.',
  },
  {
    name: '--udp-ports',
    short: 'u',
    value: 'FIRST:LAST',
    example: '33445:33545',
    about: 'use a UDP port from FIRST to LAST',
  },
  {
    name: '--relay-port',
    short: 't',
    value: 'PORT',
    example: '33445',
    about:
      'be a TCP relay for other peers on this port; 0 means no relay. By default servers and nodes are relays, clients are not',
  },
  {
    name: '--no-port-mapping',
    about:
      'do not ask the router to open ports (PCP, NAT-PMP, UPnP). Servers and clients with -L, -D and -R ask it by default',
  },
  {
    name: '--proxy',
    value: 'URL',
    example: 'socks5://127.0.0.1:1080',
    completes: ['none'],
    about:
      "send all Tox traffic through this proxy: socks5://[USER:PASSWORD@]HOST[:PORT], http://[USER:PASSWORD@]HOST:PORT (CONNECT), or none. UDP is then off, and only the proxy's own name is resolved. A server connects to targets without the proxy",
  },
  {
    name: '--json',
    about: 'print what happens as JSON, one object a line, on standard output (with -W on standard error)',
    more: 'docs/schema/event-1.json describes the objects. The last one of a command that fails is the event "error".',
  },
  {
    name: '--syslog',
    short: 'S',
    about: 'log to syslog instead of standard error',
  },
  {
    name: '--verbose',
    short: 'd',
    isRepeatable: true,
    about: 'log debug messages; given twice, log everything',
  },
  {
    name: '--quiet',
    short: 'q',
    about: 'log only errors',
    more: 'tuntox id leaves out the key in words.',
  },
  {
    name: '--no-color',
    about: 'use no colours, even on a terminal (as do NO_COLOR and TERM=dumb)',
  },
  {
    name: '--version',
    short: 'V',
    about: 'print the version and exit',
  },
  {
    name: '--help',
    short: 'h',
    about: 'print all options and exit; -h prints a summary',
  },
] as const satisfies readonly TuntoxOption[];

export type OptionName = (typeof OPTIONS)[number]['name'];
/** Options with a value. */
export type ValueOption = Extract<(typeof OPTIONS)[number], { readonly value: string }>['name'];
