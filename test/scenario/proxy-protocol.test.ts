/** The PROXY protocol, as a real nginx reads it: which client a request is from. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandNetwork } from '../support/command-network.js';
import { freeTcpPort, startProgram } from '../support/processes.js';
import { requirementsMet, tool } from '../support/requirements.js';
import { temporaryDirectory } from '../support/temporary-directory.js';
import { daemonPlace, startDaemon } from './support/daemon-command.js';
import { controlCommand, newUser } from './support/owner-and-user.js';

/** Nothing here needs another network. */
const ALONE = '  lan_discovery: false\n  port_mapping: false\n';
const REQUEST = 'GET / HTTP/1.0\r\n\r\n';

/** An nginx that says which client a request is from, and refuses connections without a header. */
async function startNginx(t: Test): Promise<{ readonly nginx: number; readonly socket: string }> {
  const directory = temporaryDirectory(t);
  const [port, socket] = [await freeTcpPort(), join(directory, 'web.sock')];
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(directory, name));
  const paths = ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => {
    return `${name === 'body' ? 'client_body' : name}_temp_path ${join(directory, name)};`;
  });
  const config = [
    ...[
      'daemon off;',
      'master_process off;',
      `pid ${join(directory, 'pid')};`,
      'error_log stderr notice;',
      'events {}',
    ],
    `http { access_log off; ${paths.join(' ')} server {`,
    `listen 127.0.0.1:${port} proxy_protocol; listen unix:${socket} proxy_protocol;`,
    'location / { return 200 "from $proxy_protocol_addr to $proxy_protocol_server_port"; } } }',
  ];
  writeFileSync(join(directory, 'nginx.conf'), `${config.join('\n')}\n`);
  const words = ['nginx', '-e', 'stderr', '-p', directory, '-c', join(directory, 'nginx.conf')];
  const nginx = startProgram('nginx', words);
  t.teardown(() => nginx.stop('SIGKILL'));
  // By then it has opened its sockets.
  await nginx.waitFor(/using the "epoll" event method/);
  return { nginx: port, socket };
}

/** A daemon with rules, its owner's `tuntoxctl`, and a user `laptop`. */
async function start(t: Test, rules: (targets: { readonly nginx: number; readonly socket: string }) => string) {
  const network = await CommandNetwork.start(t);
  const targets = await startNginx(t);
  const web = createServer((_request, response) => response.end('plain'));
  t.teardown(() => web.close());
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  const plain = (web.address() as { port: number }).port;
  const place = daemonPlace(t, network.node[1], ALONE);
  const file = join(place.directory, 'rules');
  writeFileSync(file, rules(targets));
  appendFileSync(place.config, `targets:\n  rules_file: ${file}\n`);
  await startDaemon(t, place);
  const control = controlCommand(t, place);
  const { tuntox } = newUser(t, network.node);
  const [, link = ''] = /(tuntox:\/\/\S+)/.exec(await control('invite', 'create', '--name', 'laptop')) ?? [];
  const joined = tuntox('join', link, 'nas');
  t.equal(await joined.exited, 0, joined.stderr);
  /** @returns the last line of the answer */
  const get = async (target: string): Promise<string | undefined> => {
    const command = tuntox('nas', '-W', target);
    command.child.stdin.end(REQUEST);
    await command.exited;
    return command.stdout.split('\r\n').at(-1);
  };
  const address = async (): Promise<string> =>
    JSON.parse(await control('clients', 'show', 'laptop', '--json')).client.loopbackAddress;
  return { control, get, address, plain, ...targets };
}

t.test('nginx learns the client by a line of the rules, and a target that did not ask gets no header', async (t) => {
  if (!requirementsMet(t, tool('nginx', 'nginx'))) return;
  const { get, address, plain, nginx, socket } = await start(
    t,
    (targets) => `127.0.0.1:${targets.nginx} proxy\n${targets.socket} proxy\n*:0\n`,
  );
  const answer = await get(`127.0.0.1:${nginx}`);
  t.equal(answer, `from ${await address()} to ${nginx}`);
  t.match(await address(), /^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./);
  t.equal(await get(`localhost:${nginx}`), answer, 'by another name as well');
  t.equal(await get(socket), `from ${await address()} to `, 'a Unix socket as well, without a port');
  t.equal(await get(`127.0.0.1:${plain}`), 'plain');
});

t.test('nginx learns the client by a service with --proxy-protocol', async (t) => {
  if (!requirementsMet(t, tool('nginx', 'nginx'))) return;
  const { control, get, address, nginx } = await start(t, () => '# services alone\n');
  await control('expose', 'web', String(nginx), '--proxy-protocol');
  t.match(await control('services'), new RegExp(`^web +127\\.0\\.0\\.1:${nginx} proxy `, 'm'));
  const answer = await get('web');
  t.equal(answer, `from ${await address()} to ${nginx}`);
  await control('expose', 'web', String(nginx), '--replace');
  t.not(await get('web'), answer, 'without a header nginx closes the connection');
});
