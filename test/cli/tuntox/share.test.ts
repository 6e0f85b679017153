/** `tuntox share` and `tuntox join` as processes in a private network. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseLink } from '../../../src/config/link.js';
import { wordsOfLink } from '../../../src/config/link-words.js';
import { freeTcpPort, type Process, startTuntox } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { askPort, startEcho, startNode } from './support/network.js';

const LINK_LINE = /^ {2}tuntox (join tuntox:\S+)$/m;
const UPSTREAM_LINE = /^ {2}tuntox (-i [0-9A-F]{76} -s \S+) -L ([0-9]+:\S+)$/m;

const ID = 'E776E9A993EE3CAE04F5946D9AC66FBBAA8C63A95A94B41942353C6DC1739B4B4C762C7DA7B9';

function start(t: Test, args: readonly string[]): Process {
  const command = startTuntox(args);
  t.teardown(() => command.stop('SIGKILL'));
  return command;
}

/** Returns the port that a client opened. */
async function openedPort(client: Process): Promise<number> {
  return Number(
    (await client.waitFor(/listening: 127\.0\.0\.1 port ([0-9]+)|listening: 127\.0\.0\.1:([0-9]+)/))
      .slice(1)
      .find(Boolean),
  );
}

t.test('two commands reach a service: the link of share is all that join needs', async (t) => {
  const node = await startNode(t);
  const echo = await startEcho(t);
  const share = start(t, ['share', `${echo}`, '--uses', '1', ...node]);
  const [, joining = ''] = await share.waitFor(LINK_LINE);
  t.match(
    share.stdout,
    new RegExp(`^Sharing 127\\.0\\.0\\.1:${echo} for 1 client, until Ctrl-C\\. On the other machine, run:\\n`),
  );
  const client = start(t, [...joining.split(' '), '-C', temporaryDirectory(t), ...node]);
  // The port of the service is in use on this machine, so the client takes another one.
  const port = await openedPort(client);
  t.match(client.stderr, `port ${echo} is in use on this machine`);
  t.not(port, echo);
  t.equal(await askPort(port, 'through the link'), 'through the link');
  await share.waitFor(/^client [0-9A-F]{8} connected: /m);

  const second = start(t, [...joining.split(' '), ...node]);
  await share.waitFor(/refused, the secret has admitted as many clients as it may/);
  t.equal(await second.stop('SIGINT'), 130);
  t.equal(await share.stop('SIGINT'), 0);
  t.equal(await client.exited, 3, 'its client does not search on');
  t.match(client.stderr, /^error: [0-9A-F]{8} has ended its share: ask its owner for a new link$/m);
});

t.test('the line for the original tuntox works, and no other target is allowed', async (t) => {
  const node = await startNode(t);
  const [echo, other, local] = [await startEcho(t), await startEcho(t), await freeTcpPort()];
  const share = start(t, ['share', `127.0.0.1:${echo}`, '--for', '1h', '--qr', ...node]);
  const [, access = '', forward = ''] = await share.waitFor(UPSTREAM_LINE);
  t.equal(forward, `${echo}:127.0.0.1:${echo}`);
  t.match(share.stdout, /for 1h, until Ctrl-C/);
  t.match(Buffer.from(share.stdout, 'latin1').toString(), /^[█▀▄ ]{40,}$/m, 'a QR code');
  const client = start(t, [...access.split(' '), '-L', `${local}:127.0.0.1:${echo}`, ...node]);
  await client.waitFor(/listening/);
  t.equal(await askPort(local, 'as upstream does'), 'as upstream does');
  const denied = start(t, [...access.split(' '), '-W', `127.0.0.1:${other}`, ...node]);
  t.equal(await denied.exited, 4);
  await share.waitFor(/^client [0-9A-F]{8} was refused 127.0.0.1:[0-9]+: .*what is shared/m);
});

t.test('-I of a share gets its Tox ID, and a line with brackets is quoted for the shell', async (t) => {
  const file = join(temporaryDirectory(t), 'id');
  const directory = join(temporaryDirectory(t), 'state');
  const share = start(t, ['share', '[::1]:22', '-I', file, '-C', directory, '--bootstrap', 'none']);
  const [, id = ''] = await share.waitFor(/^ {2}tuntox -i ([0-9A-F]{76}) -s \S+ -L '10022:\[::1\]:22'$/m);
  t.equal(readFileSync(file, 'utf8').trim(), id);
  const [, joining = ''] = await share.waitFor(LINK_LINE);
  t.match(joining, /\/::1:22$/);

  await share.stop();
  const itself = start(t, [...joining.split(' '), '-C', directory, '--bootstrap', 'none']);
  t.equal(await itself.exited, 2);
  t.match(itself.stderr, /this is the client's own Tox ID/);
});

t.test('the link of join is not in the process list, or is one line of standard input', async (t) => {
  const link = `tuntox://${ID}/abc23/127.0.0.1:3000`;
  const args = ['--bootstrap', 'none'];
  const client = start(t, ['join', link, ...args]);
  await openedPort(client);
  t.notMatch(readFileSync(`/proc/${client.pid}/cmdline`, 'latin1'), 'abc23');
  const reader = start(t, ['join', '-', ...args]);
  reader.child.stdin.write(`${link}\n`);
  await openedPort(reader);
  t.equal(await reader.stop('SIGINT'), 130);
  const background = start(t, ['join', '-', '-z', ...args]);
  t.equal(await background.exited, 2);
  t.match(background.stderr, /^tuntox: join - reads standard input, .*: remove -z/);
});

t.test('join reads words from standard input, and says what is wrong with them', async (t) => {
  const link = `tuntox://${ID}/abcdefghijkmnpqrstuv/127.0.0.1:3000`;
  const lines = (await wordsOfLink(parseLink(link))) ?? [];
  const client = start(t, ['join', '-', '--bootstrap', 'none']);
  client.child.stdin.write(`${lines.join('\n')}\n`);
  await openedPort(client);
  const wrong = start(t, ['join', '-', '--bootstrap', 'none']);
  wrong.child.stdin.write(`${[...lines.slice(0, 2), 'one two three'].join('\n')}\n`);
  t.equal(await wrong.exited, 2);
  t.match(wrong.stderr, /^tuntox: join -: line 3 has 3 words: every line has 6 \(see/);
  const ended = start(t, ['join', '-', '--bootstrap', 'none']);
  ended.child.stdin.end(`${lines.slice(0, 7).join('\n')}\n`);
  t.equal(await ended.exited, 2);
  t.match(ended.stderr, /^tuntox: join -: line 8 is missing/);
});

t.test('a share ends by itself after the time of --for', async (t) => {
  const share = start(t, ['share', '3000', '--for', '500ms', '--bootstrap', 'none']);
  t.equal(await share.exited, 0);
  t.match(share.stderr, /the time of this share is over/);
});
