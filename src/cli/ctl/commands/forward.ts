/** `tuntoxctl forward`: what the daemon keeps forwarded. */
import { shortKey } from '../../../base/short-key.js';
import { bytesText, countText, roundTripText } from '../../../base/units.js';
import type { Result } from '../../../control/protocol.js';
import type { Output } from '../../output.js';
import { type Command, type Context, show } from '../command.js';
import { usage } from '../ctl-error.js';
import { forwardPlace } from '../names.js';

type Forward = Result<'forwards.list'>['forwards'][number];

const STANDARD_INPUT = '-';
const LINK = /^tuntox:/;
const TOX_ID = /^[0-9A-Fa-f]{76}$/;
/** Digits only: somebody meant a Tox ID, and the daemon says what is wrong with it. */
const ALMOST_TOX_ID = /^[0-9A-Fa-f]{33,}$/;
/** Bytes of a link or a secret, with what surrounds it. */
const MAX_INPUT = 4_096;
/** Bytes of a file of users. */
const MAX_USERS = 65_536;

export const FORWARD_COMMANDS: readonly Command[] = [
  {
    path: ['forward', 'list'],
    isDefault: true,
    about: 'list the forwards, and how their servers are reached',
    more: 'CONN has the open connections, and all since the daemon started. SENT counts bytes to the server.',
    examples: ['', '--json'],
    run: async (context) => {
      const list = await context.session.call('forwards.list', {});
      show(context, list, ({ forwards }, out) => printForwards(out, forwards));
    },
  },
  {
    path: ['forward', 'add'],
    isWrite: true,
    about: 'forward to a target of a server, from now on',
    more:
      'The daemon keeps the forward until it is removed, connects again when the connection is lost, and opens it at each start. ' +
      'HOST is a name of tuntox list, a link, or a Tox ID; - reads a link from standard input, where no other user sees it. ' +
      'FORWARD is [BIND:]PORT:TARGET, and TARGET a HOST:PORT as the server sees it, the name of a service, or the path of a Unix socket. ' +
      'Without BIND only this machine can connect, with * every machine that reaches it. udp: in front forwards datagrams. ' +
      'A path in place of [BIND:]PORT is a Unix socket, which only the user of the daemon can use. ' +
      'With -D FORWARD is [BIND:]PORT alone, and programs name the targets (SOCKS, CONNECT); with -R it is a port of the server and a target of this machine, or that port alone: programs of the server then name targets of this machine.',
    arguments: [{ name: 'HOST', completes: 'host' }, { name: 'FORWARD' }],
    options: [
      { name: '--dynamic', short: 'D', about: 'as -D of tuntox: each connection names its own target' },
      {
        name: '--reverse',
        short: 'R',
        about: 'as -R of tuntox: a port of the server leads to a target of this machine',
      },
      {
        name: '--socks-auth',
        value: 'FILE',
        about: 'with -D, and -R without a target: only the users in FILE, one USER:PASSWORD per line, may use it',
        completes: 'file',
      },
      {
        name: '--secret-file',
        value: 'FILE',
        about: "with a Tox ID: the server's secret is in FILE; - reads standard input",
        completes: 'file',
      },
    ],
    examples: ['nas 8080:127.0.0.1:80', 'nas 2222:ssh', 'nas -D 1080', '- 5432:db.example.org:5432'],
    run: async (context) => {
      const { given, session } = context;
      const kind = kindOf(given);
      const own = { ...(await serverOf(context)), ...(await usersOf(given)) };
      const params = { ...own, forward: given.argument(1), kind, dryRun: given.dryRun };
      const change = await session.call('forwards.add', params);
      show(context, change, ({ forward, notes }, out) => {
        out.line(`${given.dryRun ? 'would forward' : 'forwarding'}  ${textOf(forward)}`, { indent: 2 });
        if (forward.state === 'connecting' && !given.dryRun)
          out.line('connections wait until the server is found: tuntoxctl forward list', { indent: 2 });
        for (const note of notes) out.line(note, { indent: 2 });
      });
    },
  },
  {
    path: ['forward', 'remove'],
    isWrite: true,
    about: 'remove a forward, and close its connections',
    more: 'FORWARD is its place: [BIND:]PORT, udp:[BIND:]PORT, or the path of its socket. With -R it is that of the server.',
    arguments: [{ name: 'FORWARD', completes: 'forward' }],
    options: [
      { name: '--reverse', short: 'R', about: 'a forward of add -R' },
      {
        name: '--server',
        value: 'HOST',
        about: 'the one of this host, where several have the place',
        completes: 'host',
      },
    ],
    examples: ['8080', '127.0.0.1:8080 --dry-run', '-R 8080'],
    run: async (context) => {
      const { given, session } = context;
      const { dryRun } = given;
      const server = given.value('--server');
      const change = await session.call('forwards.remove', {
        forward: given.argument(0),
        reverse: given.has('--reverse'),
        ...(server === undefined ? {} : { server }),
        dryRun,
      });
      show(context, change, ({ forward, closedTunnels }, out) => {
        out.line(`${dryRun ? 'would remove' : 'removed'}  ${textOf(forward)}`, { indent: 2 });
        if (closedTunnels > 0) {
          out.line(`${dryRun ? 'would close' : 'closed'}  ${countText(closedTunnels, 'connection')}`);
        }
      });
    },
  },
];

/** @throws CtlError */
function kindOf(given: Context['given']): Forward['kind'] {
  const isDynamic = given.has('--dynamic');
  if (isDynamic && given.has('--reverse')) throw usage('-D and -R are two kinds of forwards', 'choose one of them');
  if (isDynamic) return 'dynamic';
  return given.has('--reverse') ? 'reverse' : 'local';
}

/** @throws CtlError, FileError */
async function usersOf(given: Context['given']): Promise<{ readonly users?: string }> {
  const file = given.value('--socks-auth');
  if (file === undefined) return {};
  if (kindOf(given) === 'local') throw usage('--socks-auth is only for -D and -R', 'remove it, or add -D');
  const { readSmallFile } = await import('../../../base/small-file.js');
  return { users: readSmallFile(file, MAX_USERS).toString() };
}

/** @throws CtlError */
async function serverOf({ given, dialogue, environment }: Context) {
  const host = given.argument(0);
  const secretFile = given.value('--secret-file');
  const isId = TOX_ID.test(host) || ALMOST_TOX_ID.test(host);
  if (secretFile !== undefined && !isId) {
    throw usage('--secret-file is only for a Tox ID', 'a link and a stored host have their secret: remove it');
  }
  if (host === STANDARD_INPUT) return { server: (await dialogue.readHidden('Link: ', MAX_INPUT)).trim() };
  if (LINK.test(host)) {
    // Out of the process list.
    process.title = 'tuntoxctl forward add';
    return { server: host };
  }
  if (isId) return { server: host, ...(await secretOf(secretFile, dialogue)) };
  const { findHost } = await import('../hosts.js');
  const { name, toxId: server, secret } = await findHost(host, environment);
  return { server, name, ...(secret === undefined ? {} : { secret }) };
}

async function secretOf(file: string | undefined, dialogue: Context['dialogue']) {
  if (file === undefined) return {};
  if (file === STANDARD_INPUT) return { secret: await dialogue.readHidden('Secret (not echoed): ', MAX_INPUT) };
  const { readSmallFile } = await import('../../../base/small-file.js');
  return {
    secret: readSmallFile(file, MAX_INPUT)
      .toString()
      .replace(/\r?\n$/, ''),
  };
}

const serverText = ({ name, publicKey }: Forward['server']): string => name ?? shortKey(publicKey);

function textOf(forward: Forward): string {
  const [place, server] = [forwardPlace(forward), serverText(forward.server)];
  if (forward.kind === 'reverse') return `${place} of ${server} to ${forward.target ?? 'any target'} of this machine`;
  return `${place} to ${forward.target ?? 'any target'} of ${server}`;
}

/** As it is written for `forward remove`, and with -D where it is a proxy. */
function listedPlace(forward: Forward): string {
  const option = { local: '', dynamic: '-D ', reverse: '-R ' }[forward.kind];
  return option + forwardPlace(forward);
}

function printForwards(out: Output, forwards: readonly Forward[]): void {
  if (forwards.length === 0) {
    out.line('no forwards');
    out.line('to add one: tuntoxctl forward add HOST 8080:127.0.0.1:80', { indent: 2 });
    return;
  }
  out.table(
    [
      { heading: 'FORWARD', narrowest: 14 },
      { heading: 'TARGET', narrowest: 12 },
      { heading: 'SERVER', narrowest: 8 },
      { heading: 'STATE' },
      { heading: 'RTT' },
      { heading: 'CONN' },
      { heading: 'SENT' },
      { heading: 'RECEIVED' },
    ],
    forwards.map((forward) => [
      listedPlace(forward),
      forward.target ?? 'any',
      serverText(forward.server),
      stateText(forward),
      roundTripText(forward.roundTripMs),
      `${forward.tunnels}/${forward.tunnelsOpened}`,
      bytesText(forward.bytesSent),
      bytesText(forward.bytesReceived),
    ]),
  );
  // The same server, and the same reason, may have several forwards.
  for (const error of new Set(forwards.map((forward) => forward.error))) {
    if (error === null) continue;
    const ports = forwards.filter((forward) => forward.error === error).map(listedPlace);
    out.line(`${ports.join(', ')}: ${error}`, { style: 'warning', indent: 2 });
  }
}

function stateText({ state, path }: Forward): string {
  switch (state) {
    case 'connected':
      return path ?? 'connected';
    case 'connecting':
      return 'waiting';
    case 'not-listening':
      return 'no port';
  }
}
