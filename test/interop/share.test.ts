/** `tuntox share` and libtoxcore peers, which send the secret of the link as upstream's `-s`: one is admitted, and reaches one target. */
import { connect } from 'node:net';
import t from 'tap';
import { C_PATIENCE, C_WORLD, friendOnline, startCPeer } from '../support/c-peer.js';
import { exchange, startExchangeService } from '../support/exchange.js';
import { startBootstrapd, startTuntox } from '../support/processes.js';
import { requirementsMet } from '../support/requirements.js';

t.test('a libtoxcore peer uses a share, which admits no second one, and ends with it', async (t) => {
  if (!requirementsMet(t, ...C_WORLD)) return;
  const node = await startBootstrapd();
  t.teardown(() => node.process.stop());
  const [service, other] = [await startExchangeService(), await startExchangeService()];
  t.teardown(() => service.close());
  t.teardown(() => other.close());
  const target = `127.0.0.1:${service.port}`;
  const share = startTuntox(['share', target, '--uses', '1', '--bootstrap', node.argument]);
  t.teardown(() => share.stop('SIGKILL'));
  const line = /tuntox -i ([0-9A-F]{76}) -s (\S+) -L \d+:(\S+)/;
  const [, id = '', secret = '', shown] = await share.waitFor(line);
  t.equal(shown, target, 'the line for the original tuntox names the target');
  const startClient = async (name: string, ...args: string[]) => {
    const common = ['client', '--id', id, '--secret', secret, '--bootstrap', node.argument];
    const client = await startCPeer([...common, ...args], { name });
    t.teardown(() => client.stop('SIGKILL'));
    return client;
  };
  const first = await startClient('C first', '-L', `0:${target}`, '-L', `0:127.0.0.1:${other.port}`);
  await share.waitFor(/^client [0-9A-F]{8} connected/m, C_PATIENCE);
  await friendOnline(first);
  const ports = [...first.stdout.matchAll(/^LISTEN (\d+) /gm)].map(([, port]) => Number(port));
  await t.resolves(exchange(ports[0] as number, { seed: 'share', up: 100_000, down: 100_000 }));
  connect({ host: '127.0.0.1', port: ports[1] as number }).on('error', () => {});
  await share.waitFor(new RegExp(`was refused 127\\.0\\.0\\.1:${other.port}: no line of what is shared allows it`));

  const second = await startClient('C second', '-p');
  await share.waitFor(/refused, the secret has admitted as many clients as it may/, C_PATIENCE);
  await second.stop('SIGKILL');
  t.equal(await share.stop('SIGINT'), 0);
  await first.waitFor(/^FRIEND 0 none$/m, C_PATIENCE);
});
