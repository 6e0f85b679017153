import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { daemonPlace, startDaemon } from './support/daemon-command.js';
import { controlCommand, newUser } from './support/owner-and-user.js';

/** Nothing here needs another network. */
const ALONE = '  lan_discovery: false\n  port_mapping: false\n';
const NOT_ALLOWED = 4;

/** A daemon, its owner's `tuntoxctl`, and a user's `tuntox`. */
async function start(t: Test) {
  const network = await CommandNetwork.start(t);
  const place = daemonPlace(t, network.node[1], ALONE);
  await startDaemon(t, place);
  const { tuntox } = newUser(t, network.node);
  const run = controlCommand(t, place);
  const control = (words: string): Promise<string> => run(...words.split(' '));
  /** @returns the status, what the target said, and errors */
  const reach = async (target: string) => {
    const command = tuntox('nas', '-W', target);
    command.child.stdin.end();
    return { status: await command.exited, said: command.stdout, errors: command.stderr };
  };
  return { network, tuntox, control, reach };
}

t.test('a client lists the services that it may reach, and reaches those alone', async (t) => {
  const { network, tuntox, control, reach } = await start(t);
  const [web, other] = [
    await network.service((one) => one.end('web')),
    await network.service((one) => one.end('other')),
  ];
  t.match(await control(`expose web ${web}`), /services only/);
  await control(`expose other 127.0.0.1:${other}`);
  t.match(await control('services'), new RegExp(`^web +127\\.0\\.0\\.1:${web} `, 'm'));
  const [, link = ''] = /(tuntox:\/\/\S+)/.exec(await control('invite create --name laptop --allow web')) ?? [];
  t.match(link, /\/web$/);
  const joined = tuntox('join', link, 'nas');
  t.equal(await joined.exited, 0, joined.stderr);

  const list = tuntox('nas');
  t.equal(await list.exited, 0, list.stderr);
  t.match(list.stdout, new RegExp(`^web +${web}$`, 'm'));
  t.notMatch(list.stdout, /^other /m, 'the allow list has only web');

  t.match(await reach('web'), { status: 0, said: 'web' });
  t.match(await reach('WEB'), { status: 0, said: 'web' });
  t.match(await reach(`127.0.0.1:${web}`), { status: 0, said: 'web' }, 'its target as well');
  for (const target of ['other', 'gone', `127.0.0.1:${other}`])
    t.match(await reach(target), { status: NOT_ALLOWED, said: '' }, target);

  t.match(await control('whitelist edit laptop --allow web --allow other --allow example.com'), /example\.com:80/);
  t.match(await reach('other'), { status: 0, said: 'other' });
  t.match(await control(`rules check --client laptop --target other`), /the service other/);
  await control('services remove other --yes');
  t.match(await reach('other'), { status: NOT_ALLOWED, said: '' });
});

t.test('a service that gets another target closes the tunnel to the first one', async (t) => {
  const { network, tuntox, control, reach } = await start(t);
  const [first, second] = [
    await network.service((one) => one.write('first\n')),
    await network.service((one) => one.end('second')),
  ];
  await control(`expose web ${first}`);
  const [, link = ''] = /(tuntox:\/\/\S+)/.exec(await control('invite create --allow web')) ?? [];
  const joined = tuntox('join', link, 'nas');
  t.equal(await joined.exited, 0, joined.stderr);
  const open = tuntox('nas', '-W', 'web');
  await open.waitFor(/^first/);
  t.match(await control(`expose web ${second} --replace --yes`), /tunnels that this closes: 1/);
  t.not(await open.exited, 0, 'its tunnel is closed');
  t.match(await reach('web'), { status: 0, said: 'second' });
});
