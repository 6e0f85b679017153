/** A libtoxcore peer redeems an invitation: it sends the secret of the link as upstream sends the shared one. */
import { join } from 'node:path';
import t from 'tap';
import { parseLink } from '../../src/config/link.js';
import { controlOf, daemonPlace, startDaemon } from '../scenario/support/daemon-command.js';
import { addressOf, C_PATIENCE, C_WORLD, startCPeer } from '../support/c-peer.js';
import { type Process, startBootstrapd } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

t.test('libtoxcore peers redeem an invitation, and come back without a secret', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const place = daemonPlace(t, node.argument);
  const daemon = await startDaemon(t, place);
  const control = await controlOf(t, place);
  await control.call('secret.set', { secret: 'canary of the daemon' });
  const { link } = await control.call('invite.create', { name: 'peer' });
  const { serverId, secret } = parseLink(link?.link ?? '');
  const directory = temporaryDirectory(t);
  const ask = async (name: string, ...more: string[]): Promise<Process> => {
    const save = join(directory, name);
    const args = ['client', '--id', `${serverId}`, '--save', save, '-p', '--count', '1', '--bootstrap', node.argument];
    const peer = await startCPeer([...args, ...more]);
    t.teardown(() => peer.stop('SIGKILL'));
    return peer;
  };
  const first = await ask('first', '--secret', secret);
  const id = await addressOf(first);
  await daemon.waitFor(/invitation peer \([a-z]{5}\): redeemed by [0-9A-F]{8}/, C_PATIENCE);
  t.equal(await first.exited, 0, 'it was answered');

  const [again, second] = [await ask('first'), await ask('second', '--secret', secret)];
  await daemon.waitFor(/refused, its invitation has admitted as many clients as it may: peer/, C_PATIENCE);
  t.equal(await again.exited, 0, 'the same key without a secret');
  await second.stop('SIGKILL');
  t.match((await control.call('whitelist.list', {})).entries, [
    { publicKey: id.slice(0, 64).toLowerCase(), name: 'peer', invited: true },
  ]);
});
