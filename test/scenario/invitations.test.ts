/** The whole life of an invitation, with the real commands on both sides. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork, echo } from '../support/command-network.js';
import { type Process, ROOT, startProgram } from '../support/processes.js';
import { codeIn, readQrCode, ZBAR } from '../support/qr-code.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { type DaemonPlace, daemonPlace, startDaemon } from './support/daemon-command.js';

const TUNTOXCTL = ['env', '-u', 'NODE_OPTIONS', process.execPath, join(ROOT, 'dist/bin/tuntoxctl.js')] as const;
const JOIN = /^ {2}tuntox (join (tuntox:\S+)) \S+$/m;
const WORDS = /^ {2}\d+ {2}[a-z ]+$/gm;

/** A daemon and a service that it reaches. */
async function start(t: Test) {
  const network = await CommandNetwork.start(t);
  const place = daemonPlace(t, network.node[1]);
  const daemon = await startDaemon(t, place);
  return { network, place, daemon, service: await network.service(echo) };
}

async function control({ socket }: DaemonPlace, words: string): Promise<string> {
  const child = startProgram('tuntoxctl', [...TUNTOXCTL, '--socket', socket, ...words.split(' ')]);
  const status = await child.exited;
  if (status !== 0) throw new Error(`tuntoxctl ${words}: ${status}, ${child.stderr}`);
  return Buffer.from(child.stdout, 'latin1').toString();
}

/** A client that asks the server for an answer, with the identity of a directory. */
function ping(network: CommandNetwork, link: string, directory: string, timeout = '60'): Process {
  const [, , id = '', secret = ''] = link.split('/');
  return network.command('client', ['-i', id, '-s', secret, '-p', '-C', directory, '--timeout', timeout]);
}

t.test('a link is redeemed once, its client needs no secret from then on, and a second one is refused', async (t) => {
  const { network, place, daemon, service } = await start(t);
  const created = await control(place, `invite create --name laptop --allow 127.0.0.1:${service} --access 30d`);
  const [, joining = '', link = ''] = JOIN.exec(created) ?? [];
  const directory = temporaryDirectory(t);
  const client = network.command('client', [...joining.split(' '), '-C', directory]);
  await client.waitFor(/listening/);
  await daemon.waitFor(/redeemed by [0-9A-F]{8}, which is on the whitelist now as laptop/);
  t.equal(await client.stop('SIGINT'), 130);

  const [, , id = ''] = link.split('/');
  const pipe = network.command('pipe', ['-i', id, '-W', `127.0.0.1:${service}`, '-C', directory]);
  pipe.child.stdin.end('without a secret');
  t.equal(await pipe.exited, 0, pipe.stderr);
  t.equal(pipe.stdout, 'without a secret');

  const late = ping(network, link, temporaryDirectory(t), '0');
  await daemon.waitFor(/refused, its invitation has admitted as many clients as it may: laptop \([a-z]{5}\)/);
  t.equal(await late.stop('SIGINT'), 130);
  const list = await control(place, 'invite list');
  t.match(list, /^laptop [a-z]{5} {2}used\n {2}admits 1 client \(1 came\) to 127\.0\.0\.1:\d+, for 30d\n/);
  t.match(list, /^ {2}\d+s ago: laptop [0-9A-F]{8}$/m);
  t.match(list, /^ {2}\d+s ago, too late \(used\): [0-9A-F]{8}$/m);

  const open = network.command('pipe', ['-i', id, '-W', `127.0.0.1:${service}`, '-C', directory]);
  open.child.stdin.write('hello');
  await open.waitFor(/^hello/);
  t.match(
    await control(place, 'invite revoke laptop --remove-clients'),
    /removed {2}laptop [0-9A-F]{8}\nclosed {2}1 tunnel\n/,
  );
  t.not(await open.exited, 0);
  t.match(await control(place, 'whitelist list'), /^the whitelist is off\n/);
});

t.test('the words of a link redeem it, and access ends at its time', async (t) => {
  const { network, place, daemon, service } = await start(t);
  const created = await control(place, `invite create --allow 127.0.0.1:${service} --access 5s`);
  const words = created.match(WORDS) ?? [];
  t.equal(words.length, 8);
  const directory = temporaryDirectory(t);
  const client = network.command('client', ['join', '-', '-C', directory]);
  client.child.stdin.write(`${words.join('\n')}\n`);
  await daemon.waitFor(/redeemed by [0-9A-F]{8}/);
  // It may need longer than that to connect.
  await daemon.waitFor(/(?:disconnected:|refused,) its entry on the whitelist has expired/);
  t.equal(await client.stop('SIGINT'), 130);
});

t.test('links that expire or are revoked admit no client, also after a restart of the daemon', async (t) => {
  const { network, place, daemon } = await start(t);
  const linkOf = async (options: string): Promise<string> =>
    JOIN.exec(await control(place, `invite create${options}`))?.[2] ?? '';
  const [expired, revoked, open] = [await linkOf(' --expires 5s'), await linkOf(' --name phone'), await linkOf('')];
  await control(place, 'invite revoke phone');
  t.equal(await daemon.stop(), 0);
  const again = await startDaemon(t, place);
  while (!/^[a-z]{5} {2}expired$/m.test(await control(place, 'invite list')));
  const tooLate = [expired, revoked].map((link) => ping(network, link, temporaryDirectory(t), '0'));
  await again.waitFor(/refused, its invitation has expired: [a-z]{5}/);
  await again.waitFor(/refused, its invitation was revoked: phone \([a-z]{5}\)/);
  for (const one of tooLate) await one.stop('SIGKILL');
  const client = ping(network, open, temporaryDirectory(t));
  t.equal(await client.exited, 0, client.stderr);
});

t.test('a decoder reads the QR codes of share and invite back', async (t) => {
  if (!requirementsMet(t, ZBAR)) return;
  const directory = temporaryDirectory(t);
  const { network, place } = await start(t);
  const created = await control(place, 'invite create --qr');
  t.equal(readQrCode(codeIn(created), directory), JOIN.exec(created)?.[2]);
  const share = network.command('share', ['share', '3000', '--qr']);
  await share.waitFor(/^ {2}tuntox -i/m);
  await share.waitFor(/(\n[^a-z\n]{40,}){20,}\n\n/);
  const output = Buffer.from(share.stdout, 'latin1').toString();
  t.equal(readQrCode(codeIn(output), directory), /join (tuntox:\S+)/.exec(output)?.[1]);
});
