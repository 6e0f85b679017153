/** `targets.source: per-client`: an sshd of this machine logs the address of the client, which the client keeps. */
import { appendFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freeTcpPort, startProgram, TUNTOX_COMMAND } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { SSH_REQUIREMENTS, startSshd } from '../support/sshd.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { daemonPlace, startDaemon } from './support/daemon-command.js';
import { controlCommand, newUser } from './support/owner-and-user.js';

/** Nothing here needs another network. */
const ALONE = '  lan_discovery: false\n  port_mapping: false\n';
const ACCEPTED = /Accepted publickey for root from (\S+) port/g;
const OWN = /^127\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$/;

async function start(t: Test) {
  const network = await CommandNetwork.start(t);
  const place = daemonPlace(t, network.node[1], ALONE);
  appendFileSync(place.config, 'targets:\n  source: per-client\n');
  let daemon = await startDaemon(t, place);
  const port = await freeTcpPort();
  const sshd = await startSshd({ directory: temporaryDirectory(t), address: '127.0.0.1', port });
  t.teardown(() => sshd.process.stop());
  const run = controlCommand(t, place);
  const control = (words: string): Promise<string> => run(...words.split(' '));
  /** A user with an identity, who was invited. */
  const user = async (name: string) => {
    const [, link = ''] = /(tuntox:\/\/\S+)/.exec(await control(`invite create --name ${name}`)) ?? [];
    const { home, tuntox } = newUser(t, network.node);
    const joined = tuntox('join', link, 'nas');
    t.equal(await joined.exited, 0, joined.stderr);
    /** @returns the address that sshd has logged */
    const login = async (host: string): Promise<string | undefined> => {
      const proxy = [...TUNTOX_COMMAND, 'nas', ...network.node, '-W', `${host}:${port}`].join(' ');
      const words = ['ssh', ...sshd.options, '-o', `ProxyCommand=${proxy}`, 'root@nas', 'true'];
      const run = startProgram('ssh', words, { env: { ...process.env, HOME: home } });
      t.teardown(() => run.stop('SIGKILL'));
      t.equal(await run.exited, 0, run.stderr);
      return [...sshd.process.stderr.matchAll(ACCEPTED)].at(-1)?.[1];
    };
    return { login };
  };
  const restart = async (): Promise<void> => {
    await daemon.stop();
    daemon = await startDaemon(t, place);
  };
  return { control, user, restart };
}

t.test('sshd logs an address of each client, the same after a restart, and the owner sees it', async (t) => {
  if (!requirementsMet(t, ...SSH_REQUIREMENTS)) return;
  const { control, user, restart } = await start(t);
  const [laptop, phone] = [await user('laptop'), await user('phone')];
  const [one = '', other = ''] = [await laptop.login('127.0.0.1'), await phone.login('127.0.0.1')];
  t.match(one, OWN);
  t.match(other, OWN);
  t.not(one, other);
  const { clients } = JSON.parse(await control('clients list --json'));
  const shown = new Map(
    clients.map((client: { client: { name: string }; loopbackAddress: string }) => [
      client.client.name,
      client.loopbackAddress,
    ]),
  );
  t.same([shown.get('laptop'), shown.get('phone')], [one, other]);
  t.match(await control('clients show laptop'), new RegExp(`^Loopback +${one.replaceAll('.', '\\.')}, `, 'm'));
  await restart();
  t.equal(await laptop.login('localhost'), one);
});
