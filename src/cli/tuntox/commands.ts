/** The commands of `tuntox`. Its parser, help, manual and completion are made from this table. */
import type { OptionName } from './options.js';

export interface TuntoxCommand {
  readonly name: string;
  /** What follows the name. */
  readonly usage: string;
  /** Without a stop at the end: a line of the summary. */
  readonly about: string;
  /** Paragraphs of its own help, and of the manual. */
  readonly more: readonly string[];
  /** Arguments, as in an example of it. */
  readonly example: string;
  readonly arguments: { readonly least: number; readonly most: number };
  /** What completion offers as arguments: stored hosts, or these words. */
  readonly completes?: 'hosts' | readonly string[];
  /** What options mean here, where it is not what they mean elsewhere. */
  readonly meanings?: Readonly<Partial<Record<OptionName, string>>>;
}

/** The first one is the default. */
export const AGENT_WORDS: readonly string[] = ['start', 'run', 'status', 'stop'];

const NONE = { least: 0, most: 0 };
const ONE = { least: 1, most: 1 };

export const COMMANDS = [
  {
    name: 'share',
    usage: 'PORT | NAME | HOST:PORT',
    about: 'make one service reachable; prints a link',
    more: [
      'NAME stands for a port: ssh, http, https, rdp, vnc and others.',
      'It runs until Ctrl-C. It makes a new secret each time, which is part of the link.',
    ],
    example: '22',
    arguments: ONE,
  },
  {
    name: 'join',
    usage: '(LINK | TOX_ID | -) [NAME]',
    about: 'use a link: open a port, or store the host as NAME',
    more: [
      'Without NAME it opens the port of the service on 127.0.0.1; below 1024 it adds 10000, so 22 becomes 10022. If that port is in use, it opens another one. -L chooses the port.',
      'With NAME it connects once, and then stores the server under this name, with its key. A later link with the same name and another key is refused.',
      'TOX_ID with NAME is for a server that admits this client by its key, which tuntox id prints: while it waits, its owner can approve it.',
      '- reads LINK, or its words, from standard input; on a terminal it asks for each line of the words.',
    ],
    example: 'tuntox://…',
    arguments: { least: 1, most: 2 },
  },
  {
    name: 'ssh',
    usage: '[USER@]NAME [COMMAND]',
    about: 'log in to a host with ssh, or run a command there',
    more: [
      'All options and words are those of ssh(1) and go to it unchanged, but for the long options below, which stand before NAME. The exit status is that of ssh.',
      'The key of the sshd is kept as NAME.tox. Tox has proven the identity of the host, so a new key is accepted without a question, and a changed one is refused.',
    ],
    example: 'nas',
    arguments: { least: 1, most: Number.POSITIVE_INFINITY },
    completes: 'hosts',
  },
  {
    name: 'ssh-config',
    usage: '',
    about: 'print lines for ~/.ssh/config: ssh NAME.tox',
    more: [
      'With these lines plain ssh NAME.tox works, and so do scp, sftp, rsync and git. The options become part of them.',
    ],
    example: '>> ~/.ssh/config',
    arguments: NONE,
  },
  {
    name: 'list',
    usage: '',
    about: 'list the stored hosts',
    more: [],
    example: '',
    arguments: NONE,
  },
  {
    name: 'ping',
    usage: 'NAME',
    about: 'measure the round-trip time to a host',
    more: [],
    example: 'nas',
    arguments: ONE,
    completes: 'hosts',
  },
  {
    name: 'speed',
    usage: 'NAME',
    about: 'measure the throughput to a host, both ways',
    more: [
      'It sends for 8 s in each direction, and takes all that the link gives. The server must be tuntoxd, and its owner may have turned this off (targets.speed_test).',
    ],
    example: 'nas',
    arguments: ONE,
    completes: 'hosts',
  },
  {
    name: 'forget',
    usage: 'NAME',
    about: 'remove a stored host and its pinned key',
    more: [],
    example: 'nas',
    arguments: ONE,
    completes: 'hosts',
  },
  {
    name: 'id',
    usage: '',
    about: 'print your own Tox ID, for a whitelist',
    more: [
      'It does not connect. Standard output gets the ID, standard error the key in words: two people who compare them on the phone know that the key is right.',
    ],
    example: '',
    arguments: NONE,
    meanings: { '--quiet': 'leave out the key in words' },
  },
  {
    name: 'agent',
    usage: '[start | status | stop | run]',
    about: 'the process that holds your connections to hosts',
    more: [
      'All commands with the name of a host use one agent, so that the second one reaches the host at once. The first one starts it. It ends when nobody has used it for the time of --idle-timeout.',
      'start, which may be left out, starts it in the background; run stays in the foreground; status names its connections; stop ends it, and with it all connections.',
      'Its log is agent.log in ~/.local/state/tuntox, beside the identity.',
    ],
    example: 'status',
    arguments: { least: 0, most: 1 },
    completes: AGENT_WORDS,
  },
] as const satisfies readonly TuntoxCommand[];

export type CommandName = (typeof COMMANDS)[number]['name'];

/** `tuntox NAME …` */
export const HOST_COMMAND = {
  name: 'host',
  usage: '',
  about: 'reach a stored host',
  more: ['Without -L, -D, -R, -W and -p it lists the services of the host.'],
  example: '-L 8080:127.0.0.1:80',
  // What is wrong with further words depends on the host.
  arguments: { least: 0, most: Number.POSITIVE_INFINITY },
} as const satisfies TuntoxCommand;

/** `tuntox` without a command: the flags choose the mode, as upstream's do. */
export const CLASSIC_COMMAND = {
  name: 'classic',
  usage: '',
  about: '',
  more: [],
  example: '',
  arguments: NONE,
} as const satisfies TuntoxCommand;

/** A command; `host` for the name of one; `classic` without either. */
export type Form = CommandName | 'host' | 'classic';
