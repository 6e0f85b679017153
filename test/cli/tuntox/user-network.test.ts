import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readCommandLine } from '../../../src/cli/tuntox/flags.js';
import { settingsOf } from '../../../src/cli/tuntox/settings.js';
import { withUserNetwork } from '../../../src/cli/tuntox/user-network.js';
import { type DaemonPaths, proxyMark, SYSTEM_PATHS } from '../../../src/config/daemon-paths.js';
import { temporaryDirectory } from '../../support/temporary-directory.js';

const KEY = 'F404ABAA1C99A9D37D61AB54898F56793E1DEF8BD46B1038B9D822E8460FAB67';
const PROXY = 'network: { proxy: socks5://127.0.0.1:9050 }';

/** A user whose daemon has these settings; undefined: no file. */
function user(t: Test, text: string | undefined, owner: DaemonPaths['owner'] = 'user') {
  const home = temporaryDirectory(t);
  const directory = join(home, '.config/tuntox');
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'tuntox.yaml');
  if (text !== undefined) writeFileSync(config, text);
  const state = join(home, '.local/state/tuntox');
  const paths: DaemonPaths = { ...SYSTEM_PATHS, owner, config, stateDirectory: state, group: '' };
  return {
    state,
    /** The settings of a command. */
    run: (words: string, variables: Record<string, string> = {}) => {
      const environment = { HOME: home, ...variables };
      const line = readCommandLine(words.split(' '));
      return withUserNetwork(settingsOf(line, environment), line.flags, environment, paths);
    },
  };
}

t.test('the agent uses the proxy of the daemon, unless an option names another one', async (t) => {
  const { run } = user(t, PROXY);
  const { proxy } = await run('agent run', { ALL_PROXY: 'http://environment:1' });
  t.match(proxy, { from: 'settings', address: { kind: 'socks5', host: '127.0.0.1', port: 9050 } });
  t.match((await run('agent run --proxy http://flag:1')).proxy, { from: 'flag', address: { host: 'flag' } });
  t.equal((await run('agent run --proxy none')).proxy, undefined);
});

t.test('so does each command that has the identity of the user, and no other', async (t) => {
  const { run, state } = user(t, PROXY);
  t.match((await run(`share 22 -C ${state}`)).proxy, { from: 'settings' });
  mkdirSync(state, { recursive: true });
  const link = join(temporaryDirectory(t), 'link');
  symlinkSync(state, link);
  t.match((await run(`share 22 -C ${link}`)).proxy, { from: 'settings' }, 'also by a link');
  t.match((await run(`join ${KEY}${'0'.repeat(8)}${checksum(KEY)} nas --id-file id`)).proxy, { from: 'settings' });
  for (const words of ['share 22', 'share 22 -C /elsewhere', '--insecure-open'])
    t.equal((await run(words)).proxy, undefined, words);
});

t.test('its other network settings apply too, but not its relay', async (t) => {
  const network = `{ bootstrap: ["127.0.0.1:1:${KEY}"], udp_ports: 4000:4001, relay_port: 4001, lan_discovery: false, port_mapping: false }`;
  const { run } = user(t, `network: ${network}`);
  t.match(await run('agent run'), {
    nodes: [{ host: '127.0.0.1', port: 1 }],
    udpPorts: { first: 4000 },
    relayPort: undefined,
    lanDiscovery: false,
    portMapping: false,
  });
  t.match(await run(`agent run -u 5000:5001 --bootstrap 127.0.0.1:2:${KEY}`), {
    nodes: [{ port: 2 }],
    udpPorts: { first: 5000 },
  });
});

t.test('nodes of the command line take the place of a file of the daemon', async (t) => {
  const { run } = user(t, 'network: { nodes_file: /nodes.json }');
  t.match(await run('agent run'), { nodesFile: '/nodes.json' });
  t.match(await run('agent run --bootstrap none'), { nodesFile: undefined, nodes: [] });
});

t.test('without a file nothing changes, and port mapping that is off stays off', async (t) => {
  const { run } = user(t, undefined);
  t.match(await run('agent run --no-port-mapping', { ALL_PROXY: 'http://environment:1' }), {
    proxy: { from: 'environment' },
    nodes: undefined,
    nodesFile: undefined,
    udpPorts: undefined,
    portMapping: false,
  });
});

t.test('settings of another identity, and of the daemon of the machine, do not apply', async (t) => {
  t.equal((await user(t, `${PROXY}\nstate_dir: /elsewhere`).run('agent run')).proxy, undefined);
  t.equal((await user(t, PROXY, 'system').run('agent run')).proxy, undefined);
});

t.test('settings with errors are an error, because they may name a proxy', async (t) => {
  const { run } = user(t, 'netwrok: { proxy: socks5://127.0.0.1:9050 }');
  await t.rejects(run('agent run'), {
    code: 'usage',
    message: /your tuntoxd apply.*tuntox\.yaml, line 1: unknown setting/,
  });
});

t.test('if the daemon used a proxy that its settings do not name, only an option decides', async (t) => {
  for (const text of ['network: {}', undefined, 'state_dir: /elsewhere']) {
    const { run, state } = user(t, text);
    mkdirSync(state, { recursive: true });
    writeFileSync(proxyMark(state), '');
    const message =
      /^your tuntoxd used a proxy that .*tuntox\.yaml does not name: set network\.proxy there, or add --proxy URL/;
    await t.rejects(run('agent run'), { code: 'usage', message });
    await t.rejects(run('agent run', { ALL_PROXY: 'http://environment:1' }), { code: 'usage', message });
    await t.rejects(run(`share 22 -C ${state}`), { code: 'usage', message });
    t.equal((await run('agent run --proxy none')).proxy, undefined);
    t.match((await run('agent run --proxy http://flag:1')).proxy, { from: 'flag' });
    await t.resolves(run('share 22'), 'another identity');
  }
  const { run, state } = user(t, PROXY);
  mkdirSync(state, { recursive: true });
  writeFileSync(proxyMark(state), '');
  t.match((await run('agent run')).proxy, { from: 'settings' }, 'it names one by now');
});

t.test('an option that opens a port, which the proxy of the daemon cannot do, is an error', async (t) => {
  const { run } = user(t, PROXY);
  for (const option of ['-u 4000:4001', '--relay-port 4001', '--relay-port 0 --relay-port 4001']) {
    const message = new RegExp(`^${option.split(' ')[0]} opens a port.*proxy of your tuntoxd .*yaml.*--proxy none`);
    await t.rejects(run(`agent run ${option}`), { code: 'usage', message });
    await t.resolves(run(`agent run ${option} --proxy none`));
  }
  await t.resolves(run('agent run --relay-port 0'));
  await t.resolves(run('agent run --relay-port 4001 --relay-port 0'), 'the last one counts');
});

/** XOR of the key and the nospam, which is zero. */
function checksum(key: string): string {
  const sum = [0, 0];
  Buffer.from(key, 'hex').forEach((byte, index) => {
    sum[index % 2] = (sum[index % 2] ?? 0) ^ byte;
  });
  return Buffer.from(sum).toString('hex').toUpperCase();
}
