/** `tuntox share` and `tuntox join` as processes in a private network. */
import t, { type Test } from 'tap';
import { freeTcpPort, type Process, startTuntox } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';
import { askPort, startEcho, startNode } from './support/network.js';

const LINK_LINE = /^ {2}tuntox (join tuntox:\S+)$/m;
const UPSTREAM_LINE = /^ {2}tuntox (-i [0-9A-F]{76} -s \S+) -L ([0-9]+:\S+)$/m;

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
  const [, join = ''] = await share.waitFor(LINK_LINE);
  t.match(
    share.stdout,
    new RegExp(`^Sharing 127\\.0\\.0\\.1:${echo} for 1 client, until Ctrl-C\\. On the other machine, run:\\n`),
  );
  const client = start(t, [...join.split(' '), '-C', temporaryDirectory(t), ...node]);
  // The port of the service is in use on this machine, so the client takes another one.
  const port = await openedPort(client);
  t.not(port, echo);
  t.equal(await askPort(port, 'through the link'), 'through the link');
  await share.waitFor(/admitted by the secret/);

  const second = start(t, [...join.split(' '), ...node]);
  await share.waitFor(/refused, the secret has admitted as many clients as it may/);
  t.equal(await second.stop('SIGINT'), 130);
  t.equal(await client.stop('SIGINT'), 130);
  t.equal(await share.stop('SIGINT'), 0);
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
  await share.waitFor(/refused: .*what is shared/);
});

t.test('a share ends by itself after the time of --for', async (t) => {
  const share = start(t, ['share', '3000', '--for', '500ms', '--bootstrap', 'none']);
  t.equal(await share.exited, 0);
  t.match(share.stderr, /the time of this share is over/);
});
